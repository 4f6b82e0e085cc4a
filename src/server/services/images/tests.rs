use super::convert::{Converted, Refusal, convert};
use super::*;
use crate::domain::user::{Permission, Role};
use crate::server::db::testing;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use std::io::Cursor;

fn picture(width: u32, height: u32) -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, y| Rgb([(x % 256) as u8, (y % 256) as u8, 90])))
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut data = Cursor::new(Vec::new());
    image.write_to(&mut data, format).unwrap();
    data.into_inner()
}

fn decoded(data: &[u8]) -> DynamicImage {
    image::load_from_memory(data).unwrap()
}

fn sizes(converted: &Converted) -> Vec<(u32, u32)> {
    converted.files.iter().map(|file| (file.width, file.height)).collect()
}

/// CRC-32 as in PNG (RFC 2083, section 3.4).
fn crc(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
    })
}

/// A valid PNG whose header claims another size and depth.
fn lying_png(width: u32, height: u32, depth: u8) -> Vec<u8> {
    let mut data = encoded(&picture(4, 4), ImageFormat::Png);
    data[16..20].copy_from_slice(&width.to_be_bytes());
    data[20..24].copy_from_slice(&height.to_be_bytes());
    data[24] = depth;
    data[25] = 6;
    let sum = crc(&data[12..29]);
    data[29..33].copy_from_slice(&sum.to_be_bytes());
    data
}

/// A JPEG with an EXIF block: turned by 90°, taken at a place, with a word to look for.
fn tagged_jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut tiff = b"MM\0*\0\0\0\x08\0\x02".to_vec();
    // Orientation: 6, the top is at the right.
    tiff.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]);
    // GPSInfo: one entry, GPSLatitudeRef.
    tiff.extend([0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38, 0, 0, 0, 0]);
    tiff.extend([0, 1, 0, 1, 0, 2, 0, 0, 0, 2, b'N', 0, 0, 0, 0, 0, 0, 0]);
    tiff.extend(b"GPS-HERE");
    let mut block = b"Exif\0\0".to_vec();
    block.extend(tiff);
    let length = u16::try_from(block.len() + 2).unwrap();
    let plain = encoded(&picture(width, height), ImageFormat::Jpeg);
    let mut data = plain[..2].to_vec();
    data.extend([0xff, 0xe1]);
    data.extend(length.to_be_bytes());
    data.extend(block);
    data.extend(&plain[2..]);
    data
}

fn holds(data: &[u8], word: &[u8]) -> bool {
    data.windows(word.len()).any(|window| window == word)
}

#[test]
fn every_format_is_taken_and_made_smaller() {
    let wide = picture(2000, 1000);
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
        let converted = convert(&encoded(&wide, format)).unwrap();
        assert_eq!(sizes(&converted), [(1600, 800), (960, 480), (480, 240)], "{format:?}");
        assert_eq!((converted.width, converted.height), (1600, 800));
        for file in &converted.files {
            let image = decoded(&file.data);
            assert_eq!((image.width(), image.height()), (file.width, file.height));
            assert_eq!(image::guess_format(&file.data).unwrap().to_mime_type(), file.kind);
        }
    }
    assert_eq!(sizes(&convert(&encoded(&picture(300, 200), ImageFormat::Png)).unwrap()), [(300, 200)]);
}

#[test]
fn what_is_transparent_stays_so() {
    let image = RgbaImage::from_fn(40, 40, |x, _| Rgba([200, 0, 0, if x < 20 { 0 } else { 255 }]));
    let converted = convert(&encoded(&DynamicImage::ImageRgba8(image), ImageFormat::Png)).unwrap();
    let back = decoded(&converted.files[0].data).to_rgba8();
    assert_eq!((back.get_pixel(0, 0).0[3], back.get_pixel(30, 0).0), (0, [200, 0, 0, 255]));
}

#[test]
fn the_camera_is_turned_and_its_place_forgotten() {
    let data = tagged_jpeg(600, 400);
    assert!(holds(&data, b"GPS-HERE"));
    let converted = convert(&data).unwrap();
    assert_eq!((converted.width, converted.height), (400, 600), "turned by 90 degrees");
    for file in &converted.files {
        assert!(!holds(&file.data, b"Exif") && !holds(&file.data, b"GPS-HERE"));
    }
}

#[test]
fn what_hides_behind_the_pixels_does_not_come_through() {
    let mut data = encoded(&picture(20, 20), ImageFormat::Gif);
    data.extend(b"<script>alert(1)</script>PK\x03\x04");
    let converted = convert(&data).unwrap();
    assert!(!holds(&converted.files[0].data, b"<script>"));
}

#[test]
fn what_is_no_picture_is_named() {
    for (data, refusal) in [
        (&b""[..], Refusal::Empty),
        (b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>", Refusal::Known("SVG")),
        (b"%PDF-1.7", Refusal::Known("PDF")),
        (b"<!doctype html><p>", Refusal::Known("HTML")),
        (b"\0\0\0\x1cftypavif....", Refusal::Known("AVIF")),
        (b"hello", Refusal::Unknown),
        (b"GIF89a\x01\0\x01\0<svg onload=alert(1)>", Refusal::Broken),
    ] {
        assert_eq!(convert(data).unwrap_err(), refusal, "{}", String::from_utf8_lossy(data));
    }
}

#[test]
fn bombs_are_refused_by_their_header() {
    assert_eq!(convert(&lying_png(10_000, 10_000, 8)).unwrap_err(), Refusal::Pixels(10_000, 10_000));
    // Few enough pixels, of eight bytes each.
    assert_eq!(convert(&lying_png(6_000, 6_000, 16)).unwrap_err(), Refusal::Memory);
    // Within the bounds, with pixels that never come.
    assert_eq!(convert(&lying_png(3_000, 3_000, 8)).unwrap_err(), Refusal::Broken);
}

#[test]
fn what_is_cut_off_is_refused() {
    for format in [ImageFormat::WebP, ImageFormat::Png] {
        let data = encoded(&picture(400, 300), format);
        assert_eq!(convert(&data[..data.len() / 2]).unwrap_err(), Refusal::Broken, "{format:?}");
        assert_eq!(convert(&data[..30]).unwrap_err(), Refusal::Broken, "{format:?}");
    }
}

#[test]
fn very_high_pictures_are_made_narrow() {
    let converted = convert(&encoded(&picture(20, 40_000), ImageFormat::Png)).unwrap();
    assert_eq!((converted.width, converted.height), (8, 16_000));
}

async fn editor(db: &Db) -> Actor {
    Actor::prove(&testing::user(db, "editor@example.org", Role::Editor).await, Permission::Blog).unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-05-04T10:00:00Z".parse().unwrap()
}

fn upload(data: Vec<u8>) -> Upload {
    Upload { name: "a.svg\n".to_owned(), alt: " A horn ".to_owned(), data }
}

testing::on_both!(keeps_serves_and_deletes, says_what_is_wrong_and_what_is_allowed);

async fn keeps_serves_and_deletes(db: Db) {
    let db = &db;
    let actor = editor(db).await;
    let shown = add(db, &actor, upload(encoded(&picture(1000, 500), ImageFormat::Jpeg)), now()).await.unwrap();
    assert_eq!((shown.alt.as_str(), shown.width, shown.height), ("A horn", 1000, 500));
    let (kind, data) = file(db, &shown.id, Some(480)).await.unwrap();
    assert_eq!((kind.as_str(), decoded(&data).width()), ("image/jpeg", 480));
    assert_eq!(decoded(&file(db, &shown.id, None).await.unwrap().1).width(), 1000);
    assert!(matches!(file(db, &shown.id, Some(481)).await, Err(Error::NotFound)));

    let gallery = super::gallery(db, &actor, "").await.unwrap();
    assert_eq!((gallery.pictures.total, gallery.pictures.rows[0].posts), (1, 0));
    assert_eq!(gallery.used, gallery.pictures.rows[0].bytes);
    let mut other = actor.clone();
    other.id += 1;
    assert!(matches!(delete(db, &other, &shown.id, now()).await, Err(Error::NotFound)), "another's picture");
    delete(db, &actor, &shown.id, now()).await.unwrap();
    assert!(matches!(file(db, &shown.id, None).await, Err(Error::NotFound)));
}

async fn says_what_is_wrong_and_what_is_allowed(db: Db) {
    let db = &db;
    let actor = editor(db).await;
    let Err(Error::Invalid(errors)) = add(db, &actor, upload(b"<svg>".to_vec()), now()).await else { panic!() };
    assert_eq!((errors.0[0].field.as_str(), errors.0[0].key.as_str()), ("file", "error.image.kind"));
    assert!(errors.0[0].args.contains(&("found".to_owned(), "SVG".to_owned())));
    let Err(Error::Invalid(errors)) = add(db, &actor, upload(vec![0; IMAGE_BYTES_MAX + 1]), now()).await else {
        panic!()
    };
    assert_eq!(errors.0[0].key, "error.image.large");

    // One that takes nearly all there is, so that the next one does not fit.
    let mut tx = db.begin().await.unwrap();
    let (id, bytes) = ("0".repeat(32), IMAGE_QUOTA - 100);
    let new = NewImage { id: &id, owner: actor.id, name: "", alt: "", width: 1, height: 1, bytes, now: now() };
    images::insert(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    let small = encoded(&picture(100, 100), ImageFormat::Jpeg);
    let Err(Error::Invalid(errors)) = add(db, &actor, upload(small), now()).await else { panic!() };
    assert_eq!(errors.0[0].key, "error.image.quota");
    assert_eq!(super::gallery(db, &actor, "").await.unwrap().pictures.total, 1, "nothing of it stays");
}

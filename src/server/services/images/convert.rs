//! Reading a picture that somebody sent and writing it anew. What comes out holds pixels and nothing
//! else: no metadata, and nothing that was hidden behind or between them.

use crate::domain::post::{IMAGE_PIXELS_MAX, IMAGE_WIDTHS, widths};
use crate::server::db::images::File;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageError, ImageFormat, ImageReader, Limits,
};
use std::io::Cursor;

/// Memory that a decoder may take, in bytes: 40 megapixels of four bytes.
const MEMORY_MAX: u64 = 160 * 1024 * 1024;
/// Highest picture that is written: WebP ends at 16 383 (RFC 9649, section 2.7).
const HEIGHT_MAX: u32 = 16_000;
/// Of 100.
const JPEG_QUALITY: u8 = 82;

/// A picture in all its sizes; width and height are those of the largest.
#[derive(Debug)]
pub struct Converted {
    pub width: u32,
    pub height: u32,
    pub files: Vec<File>,
}

/// Why a file is no picture for us.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    Empty,
    /// Something else, whose name we know.
    Known(&'static str),
    Unknown,
    Large,
    /// Width and height.
    Pixels(u32, u32),
    /// It would take too much memory although its pixels are few enough.
    Memory,
    Broken,
}

impl From<ImageError> for Refusal {
    fn from(error: ImageError) -> Self {
        if matches!(error, ImageError::Limits(_)) { Self::Memory } else { Self::Broken }
    }
}

/// Reads a picture by its content, whatever it is called, and writes it in every size.
pub fn convert(data: &[u8]) -> Result<Converted, Refusal> {
    let format = sniff(data)?;
    let (image, orientation) = decode(data, format)?;
    let turned = matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    let (width, height) = if turned { (image.height(), image.width()) } else { (image.width(), image.height()) };
    let (width, height) = fit(width, height);
    // First smaller, then turned: the copy that turning makes is small then.
    let mut image = if turned { shrink(image, height, width) } else { shrink(image, width, height) };
    image.apply_orientation(orientation);
    let lossy = format == ImageFormat::Jpeg;
    let mut files = Vec::new();
    for size in widths(width).into_iter().rev() {
        let tall = scaled(height, size, width);
        image = shrink(image, size, tall);
        files.push(encode(&image, lossy)?);
    }
    Ok(Converted { width, height, files })
}

/// The format that the content shows.
fn sniff(data: &[u8]) -> Result<ImageFormat, Refusal> {
    if data.is_empty() {
        return Err(Refusal::Empty);
    }
    match image::guess_format(data) {
        Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP | ImageFormat::Gif)) => Ok(format),
        _ => Err(known(data).map_or(Refusal::Unknown, Refusal::Known)),
    }
}

/// What people try instead of a picture.
fn known(data: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 6] = [
        (b"%PDF", "PDF"),
        (b"PK\x03\x04", "ZIP"),
        (b"BM", "BMP"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"\0\0\x01\0", "ICO"),
    ];
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| data.starts_with(magic)) {
        return Some(name);
    }
    match data.get(4..12) {
        Some(b"ftypavif") => return Some("AVIF"),
        Some(b"ftypheic" | b"ftypheix" | b"ftypmif1") => return Some("HEIC"),
        _ => {}
    }
    let start = String::from_utf8_lossy(&data[..data.len().min(1024)]).to_lowercase();
    if start.contains("<svg") {
        Some("SVG")
    } else if start.contains("<html") || start.contains("<!doctype html") || start.contains("<script") {
        Some("HTML")
    } else {
        None
    }
}

/// Decodes within bounds; of something that moves, the first picture.
fn decode(data: &[u8], format: ImageFormat) -> Result<(DynamicImage, Orientation), Refusal> {
    let mut reader = ImageReader::with_format(Cursor::new(data), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    // The header is read, and no pixel yet.
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > IMAGE_PIXELS_MAX {
        return Err(Refusal::Pixels(width, height));
    }
    if decoder.total_bytes() > MEMORY_MAX {
        return Err(Refusal::Memory);
    }
    // A picture whose metadata cannot be read is shown as it lies.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok((DynamicImage::from_decoder(decoder)?, orientation))
}

/// The largest size that is kept of a picture of this size.
fn fit(width: u32, height: u32) -> (u32, u32) {
    let [.., most] = IMAGE_WIDTHS;
    let wide = width.min(most);
    let tall = scaled(height, wide, width);
    if tall <= HEIGHT_MAX { (wide, tall) } else { (scaled(width, HEIGHT_MAX, height), HEIGHT_MAX) }
}

/// `n` times `to` over `from`, rounded, and at least 1.
fn scaled(n: u32, to: u32, from: u32) -> u32 {
    let (n, to, from) = (u64::from(n), u64::from(to), u64::from(from.max(1)));
    u32::try_from((n * to + from / 2) / from).unwrap_or(u32::MAX).max(1)
}

fn shrink(image: DynamicImage, width: u32, height: u32) -> DynamicImage {
    if (image.width(), image.height()) == (width, height) {
        return image;
    }
    // The good filter works in floating point, so what is far too large is halved by a cheap one first.
    let near = width.saturating_mul(2);
    let image = if image.width() > near { image.thumbnail_exact(near, height.saturating_mul(2)) } else { image };
    image.resize_exact(width, height, FilterType::Lanczos3)
}

/// A photograph becomes JPEG. Anything else stays exact, as WebP, unless JPEG is less than half as
/// large and nothing is transparent: then it is a photograph after all.
fn encode(image: &DynamicImage, lossy: bool) -> Result<File, Refusal> {
    let (width, height) = (image.width(), image.height());
    let rgba = image.to_rgba8();
    let clear = rgba.pixels().any(|pixel| pixel.0[3] != u8::MAX);
    let jpeg = || -> Result<Vec<u8>, ImageError> {
        let mut data = Vec::new();
        let rgb = image.to_rgb8();
        JpegEncoder::new_with_quality(&mut data, JPEG_QUALITY).write_image(
            &rgb,
            width,
            height,
            ExtendedColorType::Rgb8,
        )?;
        Ok(data)
    };
    if lossy && !clear {
        return Ok(File { width, height, kind: "image/jpeg", data: jpeg()? });
    }
    let mut data = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut data);
    if clear {
        encoder.write_image(&rgba, width, height, ExtendedColorType::Rgba8)?;
    } else {
        encoder.write_image(&image.to_rgb8(), width, height, ExtendedColorType::Rgb8)?;
        let smaller = jpeg()?;
        if smaller.len() < data.len() / 2 {
            return Ok(File { width, height, kind: "image/jpeg", data: smaller });
        }
    }
    Ok(File { width, height, kind: "image/webp", data })
}

//! Pictures for the posts of `vestnik demo`, drawn here: an envelope over soft hills.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use std::io::Cursor;

const WIDTH: u32 = 1200;
const HEIGHT: u32 = 600;

type Colour = [f32; 3];

/// The colours of a picture: sky above and below, hills, envelope.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    top: Colour,
    bottom: Colour,
    hill: Colour,
    paper: Colour,
}

/// One for each post.
pub const PALETTES: [Palette; 4] = [
    Palette { top: [236., 170., 112.], bottom: [214., 92., 70.], hill: [120., 44., 52.], paper: [255., 246., 234.] },
    Palette { top: [122., 164., 198.], bottom: [58., 78., 122.], hill: [28., 38., 72.], paper: [240., 244., 250.] },
    Palette { top: [152., 204., 164.], bottom: [44., 128., 96.], hill: [18., 66., 56.], paper: [246., 250., 240.] },
    Palette { top: [196., 180., 220.], bottom: [110., 88., 158.], hill: [58., 42., 96.], paper: [250., 246., 255.] },
];

fn mix(a: Colour, b: Colour, part: f32) -> Colour {
    [0, 1, 2].map(|n| a[n] + (b[n] - a[n]) * part)
}

/// Draws a picture, as a PNG file. `turn` moves hills and envelope.
pub fn draw(palette: Palette, turn: f32) -> Vec<u8> {
    let (wide, tall) = (WIDTH as f32, HEIGHT as f32);
    let left = wide * (0.3 + 0.1 * turn.sin());
    let (width, height, above) = (wide * 0.32, tall * 0.38, tall * 0.2);
    let image = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let (x, y) = (x as f32, y as f32);
        let mut colour = mix(palette.top, palette.bottom, y / tall);
        for hill in 0..3 {
            let n = hill as f32;
            let edge = tall * (0.62 + 0.12 * n) + 46. * (x / (170. + 60. * n) + turn * 2. + n).sin();
            if y > edge {
                colour = mix(colour, palette.hill, 0.35 + 0.2 * n);
            }
        }
        let (across, down) = ((x - left) / width, (y - above) / height);
        if (0. ..1.).contains(&across) && (0. ..1.).contains(&down) {
            let flap = 1.15 * (0.5 - (across - 0.5).abs());
            let fold = (down - flap).abs() < 0.02 && down < 0.62;
            colour = mix(
                palette.paper,
                palette.hill,
                if fold {
                    0.5
                } else if down < flap {
                    0.12
                } else {
                    0.02
                },
            );
        }
        Rgb(colour.map(|part| part as u8))
    });
    let mut file = Cursor::new(Vec::new());
    // Memory takes whatever is written.
    let _ = DynamicImage::ImageRgb8(image).write_to(&mut file, ImageFormat::Png);
    file.into_inner()
}

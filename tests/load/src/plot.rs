//! A curve as SVG.

use std::fmt::Write;

use crate::traffic::count;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
const MARGIN: f64 = 50.0;

/// Resident memory in MiB over requests answered.
pub fn memory(samples: &[(usize, u64)]) -> Result<String, std::fmt::Error> {
    let mebibytes = |bytes: u64| count(usize::try_from(bytes >> 10).unwrap_or(usize::MAX)) / 1024.0;
    let last = count(samples.last().map_or(1, |(requests, _)| *requests)).max(1.0);
    let top = samples.iter().map(|(_, bytes)| mebibytes(*bytes)).fold(1.0, f64::max) * 1.2;
    let x = |requests: usize| MARGIN + count(requests) / last * (WIDTH - 2.0 * MARGIN);
    let y = |value: f64| HEIGHT - MARGIN - value / top * (HEIGHT - 2.0 * MARGIN);
    let mut points = String::new();
    for (requests, bytes) in samples {
        write!(points, "{:.1},{:.1} ", x(*requests), y(mebibytes(*bytes)))?;
    }
    let mut svg = String::new();
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">"#
    )?;
    writeln!(svg, r##"<rect width="100%" height="100%" fill="#fff"/>"##)?;
    for step in 0..=4u32 {
        let value = top * f64::from(step) / 4.0;
        let at = y(value);
        writeln!(
            svg,
            r##"<line x1="{MARGIN}" y1="{at:.1}" x2="{:.1}" y2="{at:.1}" stroke="#ddd"/>"##,
            WIDTH - MARGIN
        )?;
        writeln!(
            svg,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{value:.0}</text>"#,
            MARGIN - 6.0,
            at + 4.0
        )?;
    }
    writeln!(
        svg,
        r##"<polyline points="{}" fill="none" stroke="#05a" stroke-width="1.5"/>"##,
        points.trim_end()
    )?;
    writeln!(
        svg,
        r#"<text x="{MARGIN}" y="20">Resident memory of the core, MiB, over requests answered (0 to {last:.0})</text>"#
    )?;
    writeln!(svg, "</svg>")?;
    Ok(svg)
}

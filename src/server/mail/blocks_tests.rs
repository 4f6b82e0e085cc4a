use super::super::plain;
use super::*;

const SITE: &str = "https://mail.example.org";
const ID: &str = "0123456789abcdef0123456789abcdef";

fn made(source: &str) -> Body {
    render(source, Theme::plain(), SITE).unwrap()
}

fn wrong(source: &str) -> Option<(String, u32)> {
    problem(source).unwrap().map(|problem| (problem.key, problem.line))
}

#[test]
fn a_button_is_a_table_and_a_link_in_the_text() {
    let body = made("Hello\n\n::button[Order \"now\" & here](www.bakery.example/order?a=b&c=d)\n\nBye");
    assert!(body.html.contains("href=\"https://www.bakery.example/order?a=b&amp;c=d\""), "{}", body.html);
    assert!(body.html.contains("bgcolor=\"#2563eb\"") && body.html.contains("mso-padding-alt"), "{}", body.html);
    let text = plain::to_text(&body.simple);
    assert_eq!(text, "Hello\n\nOrder \"now\" & here <https://www.bakery.example/order?a=b&c=d>\n\nBye\n");
}

#[test]
fn a_picture_has_its_width_as_an_attribute() {
    let body = made(&format!("::picture[Bread](/images/{ID}/960 width=400 link=https://bakery.example)"));
    assert!(
        body.html.contains(&format!("<img src=\"{SITE}/images/{ID}/960\" alt=\"Bread\" width=\"400\"")),
        "{}",
        body.html
    );
    assert!(body.html.contains("<a href=\"https://bakery.example\""));
    assert_eq!(plain::to_text(&body.simple), "[Bread] <https://bakery.example>\n");
    let wide = made("::picture[x](https://a.example/b.png width=2000)");
    assert!(wide.html.contains(&format!("width=\"{WIDTH_MAX}\"")), "no wider than the sheet: {}", wide.html);
}

#[test]
fn cards_and_columns_hold_markdown_and_one_another_not() {
    let body =
        made(":::columns\n**left**\n:::next\n::button[Go](https://a.example)\n:::\nafter\n\n:::card\n# In\n:::\n");
    assert_eq!(body.html.matches("class=\"v-col").count(), 2);
    assert!(body.html.contains("width=\"50%\"") && body.html.contains("<strong>left</strong>"), "{}", body.html);
    assert_eq!(body.html.matches("<table").count(), body.html.matches("</table>").count());
    assert_eq!(plain::to_text(&body.simple), "left\n\nGo <https://a.example>\n\nafter\n\n# In\n");
    assert_eq!(wrong(":::card\n:::columns\n:::\n"), Some(("error.block.nested".to_owned(), 2)));
}

/// A line of prose may begin with the same signs.
#[test]
fn a_line_with_escaped_signs_is_no_block() {
    let source = "\\::1 is localhost";
    assert_eq!(wrong(source), None);
    let html = made(source).html;
    assert!(html.contains(">::1 is localhost<"), "{html}");
}

#[test]
fn what_is_no_block_is_named_at_its_line() {
    for (source, key, line) in [
        ("a\n\n:::card\nb", "error.block.open", 3),
        ("a\n:::carb\n", "error.block.unknown", 2),
        (":::", "error.block.unknown", 1),
        ("::buton[a](https://b.example)", "error.block.unknown", 1),
        ("x\n\n::button[a] (https://b.example)", "error.block.syntax", 3),
        ("::button[](https://b.example)", "error.block.syntax", 1),
        ("::picture[a](https://b.example/c.png size=3)", "error.block.syntax", 1),
        ("::picture[a](https://b.example/c.png width=0)", "error.block.syntax", 1),
        ("\n::button[a](/order)", "error.link.lost", 2),
        ("\n::button[a]()", "error.link.lost", 2),
        ("::picture[a](bread.png)", "error.picture.lost", 1),
        ("::picture[a](/images/ABCDEFABCDEFABCDEFABCDEFABCDEF00)", "error.picture.lost", 1),
        ("::picture[a](https://b.example/c.png link=tg:x)", "error.link.lost", 1),
        (":::card\nok\n\n[a](/b)\n:::", "error.link.lost", 4),
        (":::columns\na\n:::next\nb\n:::next\nc\n:::next\nd\n:::next\ne\n:::", "error.block.columns", 9),
    ] {
        assert_eq!(wrong(source), Some((key.to_owned(), line)), "{source}");
    }
    let many = "::button[a](https://b.example)\n".repeat(PIECES_MAX + 1);
    assert_eq!(wrong(&many), Some(("error.block.many".to_owned(), 1)));
    assert!(render(&many, Theme::plain(), SITE).is_err());
}

#[test]
fn code_and_words_between_are_no_blocks() {
    for source in [
        "```\n:::card\n::button[a](b)\n```",
        "    :::card",
        "a ::button[x](https://b.example) c",
        "std::mem and :: and `:::`",
    ] {
        assert_eq!(wrong(source), None, "{source}");
        assert!(!made(source).html.contains("presentation"), "{source}");
    }
}

#[test]
fn links_by_reference_and_code_go_on_across_blocks() {
    let source = "[site][1]\n\n::button[Go](https://a.example)\n\n[1]: https://b.example\n";
    assert_eq!(wrong(source), None);
    assert!(made(source).html.contains("<a href=\"https://b.example\""), "{}", made(source).html);
    assert_eq!(wrong(&source.replace("https://b.example", "/b")), Some(("error.link.lost".to_owned(), 1)));
    // Code in a line opens no block of code, and three signs do not end one of four.
    assert!(made("```code``` and\n\n::button[Go](https://a.example)").html.contains("presentation"));
    assert!(!made("````\n```\n::button[Go](https://a.example)\n```\n````").html.contains("presentation"));
    // What shows a fence opens none.
    assert!(made("text\n\n    ```\n\n::button[Go](https://a.example)").html.contains("presentation"));
    assert!(!made("   ```\n::button[Go](https://a.example)\n   ```").html.contains("presentation"));
    let many = format!(
        "{}[x][1]\n\n[1]: https://b.example/{}",
        "::button[a](https://b.example)\n".repeat(300),
        "a".repeat(90_000)
    );
    assert!(render(&many, Theme::plain(), SITE).is_err(), "each text would be read with it");
}

#[test]
fn values_and_texts_add_no_markup() {
    let body = made("::button[<b>x](https://a.example/\"><script>)\n::picture[\"><i>](https://a.example/\"onerror=x)");
    assert!(
        !body.html.contains("<script") && !body.html.contains("<i>") && !body.html.contains("<b>"),
        "{}",
        body.html
    );
    assert!(!body.html.contains("\"onerror"), "{}", body.html);
}

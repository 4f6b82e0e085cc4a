//! Templates and Markdown that are made to bring the service down: every operator and every construct, chained and nested
//! from a hundred to a million times. Each must be refused, or cost no more than the limits say.

use super::bounded::{ELEMENTS_MAX, INDENTED_MAX};
use super::syntax::{CONDITIONS_MAX, OPERATORS_MAX};
use super::template::{Recipient, Template, check};
use super::{markdown, plain};
use crate::domain::lang::Lang;
use crate::locales;
use std::fmt::Write;
use std::time::Instant;

const TIMES: [usize; 5] = [100, 1_000, 10_000, 100_000, 1_000_000];
/// Stack of a thread that works on templates here, in bytes: half of what Rust gives a thread; builds without optimisation
/// take several times as much for each call.
const STACK: usize = if cfg!(debug_assertions) { 16 } else { 1 } * 1024 * 1024;

/// What stands around a chain of `link`s: before it, the link, behind it.
struct Chain(&'static str, &'static str, &'static str);

/// Every operator of the template language.
const OPERATORS: [Chain; 52] = [
    Chain("{{ ", "not ", "email }}"),
    Chain("{{ ", "-", "1 }}"),
    Chain("{{ ", "- ", "1 }}"),
    Chain("{{ email", ".a", " }}"),
    Chain("{{ email", ".0", " }}"),
    Chain("{{ email", "[0]", " }}"),
    Chain("{{ email", "[:1]", " }}"),
    Chain("{{ email", "[email", " }}"),
    Chain("{{ email", "|upper", " }}"),
    Chain("{{ email", "|default(1)", " }}"),
    Chain("{{ email", "|batch(1)", " }}"),
    Chain("{{ ", "email|default(", " }}"),
    Chain("{{ email", "()", " }}"),
    Chain("{{ email", "(1)", " }}"),
    Chain("{{ ", "email(", " }}"),
    Chain("{{ email", ".a()", " }}"),
    Chain("{{ email", "~email", " }}"),
    Chain("{{ 1", "+1", " }}"),
    Chain("{{ 1", "-1", " }}"),
    Chain("{{ 1", "*1", " }}"),
    Chain("{{ 1", "/1", " }}"),
    Chain("{{ 1", "//1", " }}"),
    Chain("{{ 1", "%1", " }}"),
    Chain("{{ 1", "**1", " }}"),
    Chain("{{ 1", "**-1", " }}"),
    Chain("{{ 1", "==1", " }}"),
    Chain("{{ 1", "!=1", " }}"),
    Chain("{{ 1", "<1", " }}"),
    Chain("{{ 1", ">=1", " }}"),
    Chain("{{ email", " and email", " }}"),
    Chain("{{ email", " or email", " }}"),
    Chain("{{ email", " in email", " }}"),
    Chain("{{ email", " not in email", " }}"),
    Chain("{{ email", " is string", " }}"),
    Chain("{{ email", " is not string", " }}"),
    Chain("{{ 1", " is divisibleby 1", " }}"),
    Chain("{{ 1", " if 1", " }}"),
    Chain("{{ 1", " if 1 else 1", " }}"),
    Chain("{{ ", "(", "1 }}"),
    Chain("{{ ", "[", "1 }}"),
    Chain("{{ ", "{1:", "1 }}"),
    Chain("{{ ", "(1,", "1 }}"),
    Chain("{{ [", "1,", "1] }}"),
    Chain("{{ ", "'a' ", " }}"),
    Chain("{{ '", "a", "' }}"),
    Chain("{{ ", "a", " }}"),
    Chain("", "{% if email %}", ""),
    Chain("{% if email %}", "{% elif email %}", "{% endif %}"),
    Chain("", "{% if email %}{% elif email %}", ""),
    Chain("{% if ", "not ", "email %}{% endif %}"),
    Chain("", "{{ email }}", ""),
    Chain("", "{{ a }}", ""),
];

/// What closes a chain that opens something.
fn closed(chain: &Chain, times: usize) -> String {
    let Chain(before, link, after) = chain;
    let end = match *link {
        "(" | "email(" | "email|default(" | "(1," => ")",
        "[" | "[email" => "]",
        "{1:" => "}",
        "{% if email %}" | "{% if email %}{% elif email %}" => "{% endif %}",
        _ => "",
    };
    match after.strip_suffix(" }}").filter(|_| !end.is_empty()) {
        Some(last) => format!("{before}{}{last}{} }}}}", link.repeat(times), end.repeat(times)),
        None => format!("{before}{}{after}{}", link.repeat(times), end.repeat(times)),
    }
}

/// Does it on a stack that a tree of unbounded depth would overflow, which would end the process.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap();
}

const ANNA: Recipient<'_> = Recipient { email: "anna@example.org", full_name: "Anna", comment: "" };

/// Saves, sends and forgets a message; a refusal must name a line and a sentence that there is.
fn use_template(subject: &str, body: &str) {
    if let Err(problems) = check(subject, body) {
        for (_, problem) in problems {
            assert!(locales::lookup(Lang::En, &problem.key).is_some(), "{}", problem.key);
            assert!(problem.line >= 1 && problem.detail.len() < 1000);
        }
    }
    // What an older version has stored comes unchecked.
    if let Ok(template) = Template::new(subject, body, "en") {
        let _ = template.render(&ANNA);
    }
}

#[test]
fn no_chain_of_operators_reaches_the_parser() {
    on_a_small_stack(|| {
        for chain in &OPERATORS {
            for times in TIMES {
                use_template("s", &closed(chain, times));
                let Chain(before, link, after) = chain;
                use_template("s", &format!("{before}{}{after}", link.repeat(times)));
            }
        }
    });
}

#[test]
fn the_deepest_that_is_allowed_fits_a_small_stack() {
    on_a_small_stack(|| {
        for chain in &OPERATORS {
            for times in [50, 70, 74, 99, CONDITIONS_MAX, OPERATORS_MAX / 2, OPERATORS_MAX - 1, OPERATORS_MAX] {
                use_template(&closed(chain, times), &closed(chain, times));
            }
        }
        // The deepest expression in the deepest condition.
        let inner = format!("{{{{ {}1 }}}}", "-".repeat(OPERATORS_MAX));
        let body = format!(
            "{}{inner}{}",
            "{% if email %}".repeat(CONDITIONS_MAX - 1),
            "{% endif %}".repeat(CONDITIONS_MAX - 1)
        );
        assert_eq!(check("s", &body), Ok(()));
        use_template("s", &body);
    });
}

#[test]
fn a_chain_that_people_write_passes() {
    for (chain, times) in [("email|lower", 1), ("full_name ~ ' ' ~ ", 40), ("email == 'a@b.co' or ", 60), ("not ", 20)]
    {
        assert_eq!(
            check("s", &format!("{{% if {}email %}}x{{% endif %}}", chain.repeat(times - 1))),
            Ok(()),
            "{chain}"
        );
    }
}

#[test]
fn unknown_names_in_great_number_are_found_at_once() {
    let mut body = "a".repeat(100_000);
    for n in 0..20_000 {
        let _ = write!(body, "\n{{{{ a{n} }}}}");
    }
    let (_, problem) = check("s", &body).unwrap_err().remove(0);
    assert_eq!((problem.key.as_str(), problem.detail.as_str(), problem.line), ("error.template.undefined", "a0", 2));
}

#[test]
fn values_cannot_make_a_letter_of_any_size() {
    let links = "[a][1] ".repeat(10_000);
    let template = Template::new("s", &format!("[1]: https://x.example/{{{{ comment }}}}\n\n{links}"), "en").unwrap();
    let long = "я".repeat(2_000);
    let error = template.render(&Recipient { comment: &long, ..ANNA }).unwrap_err();
    assert_eq!(error.problem.key, "error.template.size");
    assert!(template.render(&Recipient { comment: "short", ..ANNA }).is_ok(), "others get theirs");
}

/// Constructs of Markdown and HTML; the length is in bytes.
fn constructs(length: usize) -> Vec<(&'static str, String)> {
    let repeat = |piece: &str| piece.repeat(length / piece.len());
    let steps = |line: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        for n in 0.. {
            if text.len() > length {
                break;
            }
            text += &line(n);
        }
        text
    };
    let both = |open: &str, close: &str| {
        let times = length / (open.len() + close.len());
        open.repeat(times) + &close.repeat(times)
    };
    let halves = |first: &dyn Fn(usize) -> String, second: &str| {
        let half = length / 2;
        let mut text = String::new();
        let mut n = 0;
        while text.len() < half {
            text += &first(n);
            n += 1;
        }
        text + &second.repeat(half / second.len())
    };
    let table = |columns: usize| {
        let head = format!("{}|\n{}|\n", "|a".repeat(columns), "|-".repeat(columns));
        let rows = length.saturating_sub(head.len()) / 3;
        head + &"|a\n".repeat(rows)
    };
    let mut all: Vec<(&'static str, String)> = [
        ">",
        "> ",
        "- ",
        "* ",
        "1. ",
        "- 1. > ",
        "- a\n",
        "1. a\n",
        "-\n",
        "# a\n",
        "a\n\n",
        "a  \n",
        "***\n\n",
        "[",
        "![",
        "[a](",
        "]",
        "[a]",
        "[a]: b\n",
        "[^1]",
        "<",
        "<a ",
        "x<a b=\"",
        "&amp;",
        "&#1;",
        "\\*",
        "\\\n",
        "*",
        "_",
        "*a ",
        "**a ",
        "*_",
        "*_a ",
        "*a **a ",
        "~~a ",
        "~",
        "`",
        "``` \n",
        "    a\n",
        "\t",
        "|",
        "|\n",
        "|-",
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<b><i></b>",
        "<div>",
        "<span>",
        "x<span>",
        "<li>",
        "<ul><li>",
        "<table>",
        "<table><tr><td>",
        "<table><b>x</b>",
        "<td>",
        "<a href=x>",
        "<svg>",
        "<math><mi>",
        "<select><option>",
        "<template>",
        "<font color=a>",
        "<button>",
        "<h1>",
        "<pre>",
        "<!--",
        "<!-- a -->",
        "<?",
        "<!A>",
        "a<![CDATA[",
        "<script>",
        "<style>",
        "<textarea>",
        "<title>",
        "<frameset>",
        "<http://a.b>",
        "https://a.example ",
        "<p><b>",
        "<b><p>",
        "<nobr>",
        "<details>",
        "<dl><dd>",
        "<ruby><rt>",
        "<body>",
        "<html>",
        "<img src=x>",
        "<br>",
        "\u{202e}",
        "\u{feff}",
        "é",
    ]
    .into_iter()
    .map(|piece| (piece, repeat(piece)))
    .collect();
    all.extend([
        ("lists by indentation", steps(&|n| format!("{}- a\n", " ".repeat(n * 2)))),
        ("quotes by lines", steps(&|n| format!("{} a\n", ">".repeat(n + 1)))),
        ("quotes that go on lazily", format!("{}{}", ">".repeat(INDENTED_MAX), "a\n".repeat(length / 2))),
        ("backticks of every length", steps(&|n| "`".repeat(n + 1) + " ")),
        ("links in links", both("[", "]()")),
        ("pictures in pictures", both("![", "]()")),
        ("emphasis in emphasis", both("*a _b ", "b_ a* ")),
        ("divisions", both("<div>", "</div>")),
        ("formatting for every paragraph", halves(&|n| format!("<b id={n}>"), "<p>")),
        ("formatting for every heading", halves(&|n| format!("<font id={n}>"), "\n\n# a")),
        ("one tag with many attributes", format!("<div {}>", steps(&|n| format!("a{n} ")))),
        ("one long comment", format!("<!-- {} -->", repeat("- "))),
        ("references", halves(&|n| format!("[{n}]: /u\n"), "[x][1] ")),
        (
            "a long reference",
            halves(&|n| if n == 0 { "[a]: https://x/".to_owned() } else { "y".repeat(100) }, "\n\n[a] "),
        ),
        ("a table of one column", table(1)),
        ("a table of six columns", "|a|a|a|a|a|a\n|-|-|-|-|-|-\n".to_owned() + &repeat("|a|a|a|a|a|a\n")),
        ("a square table", table(length.isqrt())),
        ("a wide table", table(length / 6)),
        (
            "a long word in a table",
            format!("|a|b|\n|-|-|\n|{}|b|\n{}", "w".repeat(length / 2), "|a|a|\n".repeat(length / 12)),
        ),
        ("a long word", "w".repeat(length)),
        ("a long address", format!("<https://x.example/{}>", "w".repeat(length))),
        ("many addresses", steps(&|n| format!("<https://x.example/{n}> "))),
    ]);
    all
}

/// Makes HTML and text of it, as far as that is allowed; whether it was.
fn use_markdown(name: &str, source: &str) -> bool {
    let checked = markdown::check(source);
    let rendered = markdown::render(source);
    assert_eq!(checked.map(|_| ()), rendered.as_ref().map(|_| ()).map_err(|error| *error), "{name}");
    match rendered {
        Ok(html) => {
            assert!(html.len() <= 8 * 1024 * 1024, "{name}: {}", html.len());
            let text = plain::to_text(&html);
            assert!(text.len() <= 8 * 1024 * 1024, "{name}: {}", text.len());
            true
        }
        Err(error) => {
            let lines = u32::try_from(source.lines().count()).unwrap();
            assert!(error.line >= 1 && error.line <= lines.max(1), "{name}: {error}");
            false
        }
    }
}

#[test]
fn every_construct_is_refused_or_sized() {
    on_a_small_stack(|| {
        for length in [INDENTED_MAX, 3_000, 12_000] {
            for (name, source) in constructs(length) {
                let shown = use_markdown(name, &source);
                assert!(shown || length > INDENTED_MAX, "{name}: so little is no harm");
            }
        }
    });
}

#[test]
fn what_is_nested_without_end_is_refused_at_its_line() {
    let deep = |source: &str| {
        markdown::check(&format!("a\n\n{source}")).map(|_| ()).map_err(|error| (error.key(), error.line))
    };
    for times in [INDENTED_MAX + 1, 1_000, 100_000] {
        for piece in [">", "> ", "- - - a\n", "1. 1. 1. a\n", "<blockquote>", "<ul><li>"] {
            let nested = piece.trim_end_matches("a\n").repeat(times) + "a";
            assert_eq!(deep(&nested), Err(("error.markdown.depth", 3)), "{piece} {times}");
        }
    }
    for piece in ["<div>", "<span>", "<table><tr><td>", "*a _b "] {
        let close = if piece == "*a _b " { "b_ a* " } else { "" };
        let nested = format!("x {}{}", piece.repeat(1_000), close.repeat(1_000));
        assert_eq!(deep(&nested), Err(("error.markdown.depth", 3)), "{piece}");
    }
    let lists = (0..40).fold(String::new(), |text, n| text + &format!("{}- a\n", " ".repeat(n * 2)));
    assert_eq!(deep(&lists), Err(("error.markdown.depth", 3 + u32::try_from(INDENTED_MAX).unwrap())));
}

#[test]
fn a_line_is_found_in_a_template_that_branches() {
    let body = format!(
        "Hello\n{{% if email %}}\none\n{{% endif %}}\n{{% if comment %}}\ntwo\n{{% endif %}}\n{} deep",
        ">".repeat(99)
    );
    let (_, problem) = check("s", &body).unwrap_err().remove(0);
    assert_eq!((problem.key.as_str(), problem.line), ("error.markdown.depth", 8));
}

#[test]
fn a_table_cannot_outgrow_its_source() {
    let source = format!("{}|\n{}|\n{}", "|a".repeat(1_000), "|-".repeat(1_000), "|a\n".repeat(1_000));
    let error = markdown::check(&source).unwrap_err();
    assert_eq!(error.key(), "error.markdown.size");
    let row = usize::try_from(error.line).unwrap();
    assert!(row < 60, "as soon as {ELEMENTS_MAX} cells are reached: {row}");
}

/// An honest text of the greatest length that is allowed: paragraphs, lists, a table, quotes, links.
#[test]
fn a_long_honest_text_passes() {
    let piece = "## A heading of some words\n\nA paragraph with *emphasis*, **weight** and [a link](https://example.org/a), \
        as people write them, and then some more words.\n\n- one thing\n- another\n  - and below it\n\n> quoted\n\n\
        | name | price |\n|---|--:|\n| bread | 3.20 |\n| butter | 2.75 |\n\n<table><tr><td><b>old</b> mail</td></tr></table>\n\n";
    let source = piece.repeat(crate::domain::message::BODY_MAX / piece.len());
    assert_eq!(markdown::check(&source), Ok(None));
    let rows = "| 4006381333931 | Ball pen, blue | 120 | 0.85 | 102.00 |\n".repeat(3_000);
    assert_eq!(markdown::check(&format!("|a|b|c|d|e|\n|-|-|-|-|-|\n{rows}")), Ok(None));
    assert_eq!(markdown::check(&"Слово за словом, ".repeat(11_000)), Ok(None));
}

/// Prints what each takes at the greatest length: `cargo test --release --features ssr --lib -- --ignored --nocapture hostile`.
#[test]
#[ignore = "measures"]
fn measure_hostile_texts() {
    let mut slowest = (0.0, "");
    for (name, source) in constructs(crate::domain::message::BODY_MAX) {
        let begun = Instant::now();
        let shown = use_markdown(name, &source);
        let took = begun.elapsed().as_secs_f64();
        println!("{took:7.3} s {} {name:?}", if shown { "shown  " } else { "refused" });
        if took > slowest.0 {
            slowest = (took, name);
        }
    }
    for chain in &OPERATORS {
        for times in TIMES {
            let source = closed(chain, times);
            let begun = Instant::now();
            use_template("s", &source);
            let took = begun.elapsed().as_secs_f64();
            if took > 0.1 {
                println!("{took:7.3} s {:?} {times} times", chain.1);
            }
            if took > slowest.0 {
                slowest = (took, chain.1);
            }
        }
    }
    println!("the slowest: {:?} in {:.3} s", slowest.1, slowest.0);
}

//! Bounds of a template's source, told from its tokens before it is parsed.
//!
//! minijinja parses, compiles and drops expressions recursively, and guards only some of these ways (parentheses, lists):
//! a long chain of operators, filters or attributes would overflow the stack, which ends the whole process. Each operator
//! deepens the tree by one at most, so their number in one tag bounds every one of these recursions.

use crate::domain::message::TemplateProblem;
use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

/// Longest expression or statement, in bytes.
pub const TAG_BYTES_MAX: usize = 10_000;
/// Most operators in one expression or statement: whatever takes an operand, calls, or opens a bracket.
pub const OPERATORS_MAX: usize = 200;
/// Most conditions that enclose one place, each `elif` above it counted.
pub const CONDITIONS_MAX: usize = 100;
/// What is shown of a name or word that is wrong, in characters.
const DETAIL_MAX: usize = 100;

/// A source whose expressions are small enough to be parsed.
pub struct Source<'a> {
    text: &'a str,
    /// Names in expressions, attributes and filters among them, with the places where they stand.
    names: Vec<(&'a str, usize)>,
}

impl<'a> Source<'a> {
    /// Reads a template's tokens.
    ///
    /// # Errors
    /// The first expression that is too long or has too many operators, conditions that are too deep, and statements other
    /// than conditions. What else is wrong is left to the parser.
    pub fn read(text: &'a str, syntax: SyntaxConfig) -> Result<Self, TemplateProblem> {
        let mut names = Vec::new();
        let mut conditions = Conditions::default();
        let (mut start, mut operators, mut first) = (0, 0, false);
        for token in tokenize(text, false, syntax) {
            // The parser meets the same error and says it.
            let Ok((token, span)) = token else { break };
            let at = span.start_offset as usize;
            let fail = |key: &str, detail: &str| Err(problem(key, detail, line_at(text, start)));
            match token {
                Token::TemplateData(_) | Token::VariableEnd | Token::BlockEnd => {
                    first = false;
                    continue;
                }
                Token::VariableStart | Token::BlockStart => {
                    (start, operators, first) = (at, 0, matches!(token, Token::BlockStart));
                    continue;
                }
                Token::Ident(word) if first && !conditions.enter(word) => {
                    return fail("error.template.statement", word);
                }
                Token::Ident(word) if !first => names.push((word, at)),
                _ => {}
            }
            first = false;
            operators += usize::from(is_operator(&token));
            if span.end_offset as usize - start > TAG_BYTES_MAX {
                return fail("error.template.long", &TAG_BYTES_MAX.to_string());
            }
            if operators > OPERATORS_MAX {
                return fail("error.template.operators", &OPERATORS_MAX.to_string());
            }
            if conditions.depth > CONDITIONS_MAX {
                return fail("error.template.nested", &CONDITIONS_MAX.to_string());
            }
        }
        Ok(Self { text, names })
    }

    /// The first of the names that the test finds, and its line.
    pub fn first_name(&self, is_meant: impl Fn(&str) -> bool) -> Option<(&'a str, u32)> {
        self.names.iter().find(|(name, _)| is_meant(name)).map(|(name, at)| (*name, line_at(self.text, *at)))
    }
}

/// How many conditions enclose the place that has been reached. The parser nests an `elif` in the `if` before it.
#[derive(Default)]
struct Conditions {
    /// Of each open `if`, itself and its `elif`s.
    open: Vec<usize>,
    depth: usize,
}

impl Conditions {
    /// Takes the first word of a statement; whether it may stand in a message.
    fn enter(&mut self, word: &str) -> bool {
        match word {
            "if" => {
                self.open.push(1);
                self.depth += 1;
            }
            "elif" => {
                if let Some(branches) = self.open.last_mut() {
                    *branches += 1;
                    self.depth += 1;
                }
            }
            "endif" => self.depth -= self.open.pop().unwrap_or(0),
            "else" => {}
            _ => return false,
        }
        true
    }
}

/// Whether a token can make the tree of an expression deeper.
fn is_operator(token: &Token<'_>) -> bool {
    match token {
        Token::Ident(word) => matches!(*word, "not" | "and" | "or" | "if" | "else" | "is" | "in"),
        Token::Str(_) | Token::String(_) | Token::Int(_) | Token::Int128(_) | Token::Float(_) => false,
        Token::Comma | Token::Colon | Token::Assign => false,
        Token::BracketClose | Token::ParenClose | Token::BraceClose => false,
        _ => true,
    }
}

/// A problem at a line; of a long detail, the beginning.
pub fn problem(key: &str, detail: &str, line: u32) -> TemplateProblem {
    let end = detail.char_indices().nth(DETAIL_MAX).map_or(detail.len(), |(at, _)| at);
    TemplateProblem { key: key.to_owned(), detail: detail[..end].to_owned(), line }
}

/// The line, from 1, of a place in a text.
pub fn line_at(text: &str, at: usize) -> u32 {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    u32::try_from(before.iter().filter(|b| **b == b'\n').count() + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(source: &str) -> Option<(String, u32)> {
        let problem = Source::read(source, SyntaxConfig::default()).err()?;
        Some((problem.key, problem.line))
    }

    #[test]
    fn operators_of_one_expression_are_counted() {
        let chain = |n: usize| format!("a\n{{{{ {}1 }}}}", "1+".repeat(n));
        assert_eq!(refused(&chain(OPERATORS_MAX)), None);
        assert_eq!(refused(&chain(OPERATORS_MAX + 1)), Some(("error.template.operators".to_owned(), 2)));
        assert_eq!(refused(&"{{ 1+1 }}\n".repeat(1000)), None, "each expression has its own");
        let addresses = format!("{{% if email in [{}] %}}x{{% endif %}}", "'anna@example.org', ".repeat(300));
        assert_eq!(refused(&addresses), None, "a long list is no chain");
    }

    #[test]
    fn a_long_expression_is_refused_at_its_first_line() {
        let long = format!("a\n\n{{{{ '{}'\n ~ 1 }}}}", "x".repeat(TAG_BYTES_MAX));
        assert_eq!(refused(&long), Some(("error.template.long".to_owned(), 3)));
        assert_eq!(refused(&"x".repeat(TAG_BYTES_MAX * 3)), None, "text is no expression");
        let raw = format!("{{% raw %}}{}{{% endraw %}}", "{{ 1+1+1 }}{% for %}".repeat(TAG_BYTES_MAX));
        assert_eq!(refused(&raw), None, "nor is what is shown as it is");
    }

    #[test]
    fn every_alternative_counts_for_what_it_encloses() {
        let (open, other, end) = ("{% if email %}", "{% elif email %}", "{% endif %}");
        assert_eq!(refused(&(format!("{open}{end}").repeat(1000))), None);
        assert_eq!(refused(&(open.repeat(CONDITIONS_MAX) + &end.repeat(CONDITIONS_MAX))), None);
        let nested = Some(("error.template.nested".to_owned(), 1));
        assert_eq!(refused(&open.repeat(CONDITIONS_MAX + 1)), nested);
        assert_eq!(refused(&(open.to_owned() + &other.repeat(CONDITIONS_MAX))), nested);
        assert_eq!(refused(&format!("{open}{}", other.repeat(10)).repeat(10)), nested);
    }
}

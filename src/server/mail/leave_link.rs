//! The visible link by which whoever gets a letter can leave.

use super::fill::escape_html;

/// Where it leads, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What stands before the token.
    pub page: String,
    pub words: String,
}

/// Of the paragraph that holds the link where the message does not.
const FOOTER_STYLE: &str = "margin:2em 0 0;padding:1em 0 0;border-top:1px solid #9ca3af;font-size:.9em";
const LINK_STYLE: &str = "color:inherit";

impl Link {
    /// The paragraph that holds the link, `token` standing for a letter's own.
    pub fn footer(&self, token: char) -> String {
        self.paragraph(token, FOOTER_STYLE, LINK_STYLE)
    }

    /// The same in these styles.
    pub fn paragraph(&self, token: char, paragraph: &str, link: &str) -> String {
        let (mut page, mut words) = (String::new(), String::new());
        escape_html(&mut page, &self.page);
        escape_html(&mut words, &self.words);
        format!("<p style=\"{paragraph}\"><a href=\"{page}{token}\" style=\"{link}\">{words}</a></p>\n")
    }
}

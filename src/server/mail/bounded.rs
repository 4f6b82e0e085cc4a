//! HTML of what people wrote in Markdown, made under limits.
//!
//! Reading Markdown takes time in proportion to its length. What it becomes may not: parsers of HTML look through all open
//! elements at nearly every tag, open formatting is repeated in every paragraph, and each row of a table is filled up to the
//! width of its head. So the HTML is followed, as it is written, by the parser that its sanitiser uses too, with a sink that
//! only counts, and given up at the first tag that goes too far.

use super::links::{self, Kind, Lost};
use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Attribute, ExpandedName, ParseOpts, Parser, QualName, local_name, ns, parse_fragment};
use pulldown_cmark::{Event, html};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::Range;
use std::rc::{Rc, Weak};

/// Elements in one another.
const DEPTH_MAX: usize = 100;
/// Lists and quotes in one another: each takes two columns of the plain text.
pub const INDENTED_MAX: usize = 20;
/// Elements and comments of one text.
pub const ELEMENTS_MAX: usize = 50_000;
/// Bytes of the HTML before it is made safe: a text of the greatest length has room, with its tags.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Steps of the parser: some sixty for each element.
const WORK_MAX: usize = 3_000_000;
/// Bytes of a single tag or comment. Attributes of a tag are compared with one another.
const TAG_MAX: usize = 32 * 1024;
/// What the counting parser is given between two looks at what it has counted.
const PORTION: usize = 512;

/// Which limit a text exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Elements in one another.
    Depth,
    /// The number of elements, the bytes that they take, or the work that they make.
    Size,
}

/// A text that would become too much, and the line (from 1) where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: too much ({limit:?})")]
pub struct TooMuch {
    pub limit: Limit,
    pub line: u32,
}

impl TooMuch {
    /// The locale key of the sentence for it; its placeholder is `line`.
    pub fn key(&self) -> &'static str {
        match self.limit {
            Limit::Depth => "error.markdown.depth",
            Limit::Size => "error.markdown.size",
        }
    }
}

/// HTML of a Markdown.
pub struct Html {
    /// Not yet safe.
    pub html: String,
    /// The first link or picture in it whose address a letter cannot keep.
    pub lost: Option<Lost>,
}

/// Writes the HTML of a Markdown's events, which come with the places where they begin in it.
///
/// # Errors
/// The first limit that is exceeded; what comes behind it is not looked at.
pub fn html<'a>(markdown: &str, events: impl Iterator<Item = (Event<'a>, Range<usize>)>) -> Result<Html, TooMuch> {
    let at = Cell::new(0);
    let events = events.map(|(event, place)| {
        at.set(place.start);
        event
    });
    let mut writer = Writer::new(markdown.len(), &at);
    match html::write_html_fmt(&mut writer, events) {
        Ok(()) => {
            let line = |(kind, address, at): (Kind, String, usize)| Lost {
                kind,
                address,
                line: super::syntax::line_at(markdown, at),
            };
            Ok(Html { html: writer.html, lost: writer.lost.map(line) })
        }
        Err(fmt::Error) => {
            let limit = writer.exceeded.unwrap_or(Limit::Size);
            Err(TooMuch { limit, line: super::syntax::line_at(markdown, at.get()) })
        }
    }
}

/// Keeps what is written and counts what becomes of it.
struct Writer<'a> {
    html: String,
    /// Where in the Markdown the present event begins.
    at: &'a Cell<usize>,
    /// The first address that is lost, and where that is.
    lost: Option<(Kind, String, usize)>,
    parser: Parser<Census>,
    /// Bytes since the parser last did anything.
    silent: usize,
    exceeded: Option<Limit>,
}

impl<'a> Writer<'a> {
    fn new(length: usize, at: &'a Cell<usize>) -> Self {
        // As ammonia parses it.
        let context = QualName::new(None, ns!(html), local_name!("div"));
        let parser = parse_fragment(Census::default(), ParseOpts::default(), context, Vec::new(), false);
        Self { html: String::with_capacity(length * 3 / 2), at, lost: None, parser, silent: 0, exceeded: None }
    }

    fn census(&self) -> &Census {
        &self.parser.tokenizer.sink.sink
    }

    fn look(&mut self, written: usize, before: usize) -> fmt::Result {
        let work = self.census().work.get();
        self.silent = if work == before { self.silent + written } else { 0 };
        let census = self.census();
        let large = self.html.len() > BYTES_MAX
            || self.silent > TAG_MAX
            || work > WORK_MAX
            || census.elements.get() > ELEMENTS_MAX;
        self.exceeded = match () {
            () if census.is_deep.get() => Some(Limit::Depth),
            () if large => Some(Limit::Size),
            () => None,
        };
        if self.exceeded.is_some() { Err(fmt::Error) } else { Ok(()) }
    }
}

impl fmt::Write for Writer<'_> {
    fn write_str(&mut self, mut text: &str) -> fmt::Result {
        while !text.is_empty() {
            let portion;
            (portion, text) = text.split_at(text.floor_char_boundary(PORTION.min(text.len())));
            self.html.push_str(portion);
            let before = self.census().work.get();
            self.parser.process(StrTendril::from(portion));
            if self.lost.is_none() {
                let lost = self.census().lost.take();
                self.lost = lost.map(|(kind, address)| (kind, address, self.at.get()));
            }
            self.look(portion.len(), before)?;
        }
        Ok(())
    }
}

/// A tree without contents.
struct Node {
    name: QualName,
    parent: RefCell<Weak<Node>>,
    children: RefCell<Vec<Rc<Node>>>,
    depth: Cell<usize>,
    indented: Cell<usize>,
}

/// Counts what the parser makes, and what it takes to make it.
struct Census {
    document: Rc<Node>,
    elements: Cell<usize>,
    work: Cell<usize>,
    is_deep: Cell<bool>,
    /// The first address that is lost, until somebody takes it.
    lost: RefCell<Option<(Kind, String)>>,
}

impl Default for Census {
    fn default() -> Self {
        let document = Node::new(QualName::new(None, ns!(), local_name!("")));
        Self {
            document,
            elements: Cell::default(),
            work: Cell::default(),
            is_deep: Cell::default(),
            lost: RefCell::default(),
        }
    }
}

impl Node {
    fn new(name: QualName) -> Rc<Self> {
        Rc::new(Self {
            name,
            parent: RefCell::default(),
            children: RefCell::default(),
            depth: Cell::default(),
            indented: Cell::default(),
        })
    }

    fn is_indented(&self) -> bool {
        let lists = [local_name!("ul"), local_name!("ol"), local_name!("dl"), local_name!("blockquote")];
        lists.contains(&self.name.local)
    }
}

impl Census {
    fn worked(&self, steps: usize) {
        self.work.set(self.work.get().saturating_add(steps));
    }

    fn create(&self, name: QualName) -> Rc<Node> {
        self.elements.set(self.elements.get() + 1);
        self.worked(1);
        Node::new(name)
    }

    fn detach(&self, node: &Rc<Node>) {
        let Some(parent) = node.parent.take().upgrade() else { return };
        let mut children = parent.children.borrow_mut();
        self.worked(children.len());
        children.retain(|child| !Rc::ptr_eq(child, node));
    }

    fn attach(&self, parent: &Rc<Node>, node: NodeOrText<Rc<Node>>) {
        self.worked(1);
        let NodeOrText::AppendNode(node) = node else { return };
        self.detach(&node);
        *node.parent.borrow_mut() = Rc::downgrade(parent);
        parent.children.borrow_mut().push(Rc::clone(&node));
        self.measure(node);
    }

    /// Finds out how deep a node lies now, and all that is in it.
    fn measure(&self, node: Rc<Node>) {
        let mut moved = vec![node];
        while let Some(node) = moved.pop() {
            self.worked(1);
            let (depth, indented) =
                node.parent.borrow().upgrade().map_or((0, 0), |parent| (parent.depth.get(), parent.indented.get()));
            node.depth.set(depth + 1);
            node.indented.set(indented + usize::from(node.is_indented()));
            if node.depth.get() > DEPTH_MAX || node.indented.get() > INDENTED_MAX {
                // Nothing more will be asked of this tree.
                self.is_deep.set(true);
                return;
            }
            moved.extend(node.children.borrow().iter().cloned());
        }
    }
}

impl TreeSink for Census {
    type Handle = Rc<Node>;
    type Output = ();
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) {}

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Rc<Node> {
        Rc::clone(&self.document)
    }

    fn elem_name<'a>(&'a self, target: &'a Rc<Node>) -> ExpandedName<'a> {
        self.worked(1);
        target.name.expanded()
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _: ElementFlags) -> Rc<Node> {
        self.worked(attributes.len());
        let (kind, attribute) = match name.local {
            local_name!("a") | local_name!("area") => (Kind::Link, local_name!("href")),
            local_name!("img") => (Kind::Picture, local_name!("src")),
            _ => return self.create(name),
        };
        let address = attributes.iter().find(|found| found.name.local == attribute).map(|found| &*found.value);
        if let Some(address) = address.filter(|address| !links::survives(address, kind)) {
            let mut lost = self.lost.borrow_mut();
            lost.get_or_insert_with(|| (kind, links::shown(address)));
        }
        self.create(name)
    }

    fn create_comment(&self, _: StrTendril) -> Rc<Node> {
        self.create(QualName::new(None, ns!(), local_name!("")))
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Rc<Node> {
        self.create(QualName::new(None, ns!(), local_name!("")))
    }

    fn append(&self, parent: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        self.attach(parent, child);
    }

    fn append_based_on_parent_node(&self, element: &Rc<Node>, previous: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        if element.parent.borrow().upgrade().is_some() {
            self.append_before_sibling(element, child);
        } else {
            self.attach(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    /// What a template holds counts as its children.
    fn get_template_contents(&self, target: &Rc<Node>) -> Rc<Node> {
        Rc::clone(target)
    }

    fn same_node(&self, x: &Rc<Node>, y: &Rc<Node>) -> bool {
        self.worked(1);
        Rc::ptr_eq(x, y)
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Rc<Node>, node: NodeOrText<Rc<Node>>) {
        let parent = sibling.parent.borrow().upgrade().unwrap_or_else(|| Rc::clone(&self.document));
        // The place is looked for among all of them.
        self.worked(parent.children.borrow().len() / 16);
        self.attach(&parent, node);
    }

    fn add_attrs_if_missing(&self, _: &Rc<Node>, attributes: Vec<Attribute>) {
        self.worked(attributes.len());
    }

    fn remove_from_parent(&self, target: &Rc<Node>) {
        self.detach(target);
    }

    fn reparent_children(&self, node: &Rc<Node>, new_parent: &Rc<Node>) {
        let children = node.children.take();
        for child in children {
            *child.parent.borrow_mut() = Weak::new();
            self.attach(new_parent, NodeOrText::AppendNode(child));
        }
    }
}

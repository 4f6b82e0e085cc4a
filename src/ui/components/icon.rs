//! One set of icons: strokes on a grid of 24, drawn for this service.

use leptos::prelude::*;

/// What an icon shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    Alert,
    Ban,
    Bold,
    Button,
    Card,
    Check,
    ChevronDown,
    Clock,
    Columns,
    Copy,
    Cross,
    Divider,
    Download,
    Edit,
    Heading,
    Horn,
    Inbox,
    Info,
    Italic,
    Link,
    List,
    Mail,
    More,
    Pause,
    Picture,
    Play,
    Plus,
    Question,
    Repeat,
    Search,
    SortDown,
    SortUp,
    Trash,
    Upload,
    Users,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Alert => "M12 4L2.500 20h19zM12 10v4.500M12 17.400v.01",
            Self::Ban => "M12 3.500a8.500 8.500 0 1 0 0 17a8.500 8.500 0 1 0 0-17M6 6l12 12",
            Self::Bold => "M8 5h5a3.500 3.500 0 0 1 0 7H8zM8 12h6a3.500 3.500 0 0 1 0 7H8z",
            Self::Button => "M6 8h12a4 4 0 0 1 0 8H6a4 4 0 0 1 0-8M9 12h6",
            Self::Card => "M4 5.500h16v13H4zM7.500 10h9M7.500 14h6",
            Self::Check => "M5 12.500l4.500 4.500L19 7.500",
            Self::ChevronDown => "M6 9.500l6 6l6-6",
            Self::Clock => "M12 3.500a8.500 8.500 0 1 0 0 17a8.500 8.500 0 1 0 0-17M12 7.500V12l3 2",
            Self::Columns => "M4 5.500h16v13H4zM12 5.500v13",
            Self::Copy => "M9 9h11v11H9zM15 9V4H4v11h5",
            Self::Cross => "M7 7l10 10M17 7L7 17",
            Self::Divider => "M3.500 12h17M8 6h8M8 18h8",
            Self::Download => "M12 4v11M7.500 11l4.500 4.500l4.500-4.500M4.500 20h15",
            Self::Edit => "M4 20l1-4.500L16 4.500l3.500 3.500L8.500 19zM13.500 7l3.500 3.500",
            Self::Heading => "M6.500 5v14M17.500 5v14M6.500 12h11",
            Self::Horn => {
                "M2.500 12H10M13 8.500a4.500 4.500 0 1 0 0 9a4.500 4.500 0 1 0 0-9M10 12c4.500 0 8-2.500 11.500-6.500v13C19.500 16 17.700 14.400 15.700 13.300"
            }
            Self::Inbox => "M3.500 13.500L6.500 5h11l3 8.500V19h-17zM3.500 13.500H9l1 2.500h4l1-2.500h5.500",
            Self::Info => "M12 3.500a8.500 8.500 0 1 0 0 17a8.500 8.500 0 1 0 0-17M12 11v5M12 8v.01",
            Self::Italic => "M10 5h7M7 19h7M14 5l-4 14",
            Self::Link => {
                "M10 13.500a4 4 0 0 0 6 .5l3-3a4.200 4.200 0 0 0-6-6l-1.500 1.500M14 10.500a4 4 0 0 0-6-.5l-3 3a4.200 4.200 0 0 0 6 6l1.500-1.500"
            }
            Self::List => "M9.500 6h11M9.500 12h11M9.500 18h11M4.500 6v.01M4.500 12v.01M4.500 18v.01",
            Self::Mail => "M3.500 6h17v12.500h-17zM3.500 7l8.500 6.500L20.500 7",
            Self::More => "M6 12v.01M12 12v.01M18 12v.01",
            Self::Pause => "M9 6v12M15 6v12",
            Self::Picture => "M3.500 5h17v14h-17zM3.500 16l5-5l4.500 4.500l2.500-2.500l5 5M15.500 9v.01",
            Self::Play => "M8 5.500l10 6.500l-10 6.500z",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Question => "M9 9a3 3 0 1 1 4.200 2.750c-.8.400-1.200.900-1.200 1.750V14M12 17.500v.01",
            Self::Repeat => {
                "M4 11V9.500A3.500 3.500 0 0 1 7.500 6H19l-3-3M20 13v1.500a3.500 3.500 0 0 1-3.500 3.500H5l3 3"
            }
            Self::Search => "M11 4.500a6.500 6.500 0 1 0 0 13a6.500 6.500 0 1 0 0-13M16 16l4 4",
            Self::SortDown => "M12 5v14M6.500 13.500L12 19l5.500-5.500",
            Self::SortUp => "M12 19V5M6.500 10.500L12 5l5.500 5.500",
            Self::Trash => "M4.500 7h15M9.500 7V4.500h5V7M6.500 7l1 13h9l1-13M10.500 11v5.500M13.500 11v5.500",
            Self::Upload => "M12 16V5M7.500 9L12 4.500L16.500 9M4.500 20h15",
            Self::Users => {
                "M9 5a3.500 3.500 0 1 0 0 7a3.500 3.500 0 1 0 0-7M2.500 19.500c0-3 2.900-5 6.500-5s6.500 2 6.500 5M15.500 5.500a3.200 3.200 0 0 1 0 6M18 14.800c2.100.600 3.500 2.300 3.500 4.700"
            }
        }
    }
}

/// An icon for the eye only: the word beside it, or an `aria-label` around it, says the same.
pub fn icon(icon: Icon, class: &str) -> AnyView {
    view! {
        <svg
            viewBox="0 0 24 24"
            class=class.to_owned()
            fill="none"
            stroke="currentColor"
            stroke-width="2"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
        >
            <path d=icon.path()></path>
        </svg>
    }
    .into_any()
}

//! The product's own sources that read what strangers wrote, and nothing else of it: so a build with libFuzzer's coverage
//! takes one minute and not ten.

#![allow(dead_code, reason = "each target uses some of them")]

#[path = "../../../src/domain"]
pub mod domain {
    pub mod bidi;
    pub mod client;
    pub mod email;
    pub mod formula;
    pub mod import;
    pub mod lang;
    pub mod message;
}

#[path = "../../../src/server"]
pub mod server {
    pub mod mail {
        pub mod bounded;
        mod fill;
        mod header;
        pub mod leave_link;
        mod links;
        pub mod markdown;
        pub mod plain;
        mod syntax;
        pub mod template;
        mod typed;
    }

    pub mod services {
        pub mod import {
            mod encoding;
            mod guess;
            pub mod lines;
            mod read;
        }
    }

    pub mod db {
        pub mod clients {
            use crate::domain::email::EmailAddress;

            /// As the product's, whose module needs a database.
            #[derive(Clone, Debug)]
            pub struct NewClient {
                pub email: EmailAddress,
                pub full_name: String,
                pub comment: String,
            }
        }
    }
}

/// Most that a letter's HTML or text may take, in bytes.
pub const LETTER_MAX: usize = 8 * 1024 * 1024;

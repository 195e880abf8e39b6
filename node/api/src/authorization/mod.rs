//! Who may call what: access tokens, the sessions they open, and the one table of roles and
//! operations. What a role may do to a case in law is judged again by the machine when it applies.

mod book_error;
mod file_book;
mod operation;
mod session;
mod token;
mod token_file;

pub use book_error::{TokenBookError, TokenFileFault};
pub use file_book::{FileTokenBook, ListedToken, NewToken};
pub use operation::Operation;
pub use session::{Session, TokenBook};
pub use token::AccessToken;

//! The repositories on SQLite with the migrations of the Worker.

mod isolation;
mod world;

//! The layout of the file: indented, but a list within a list (a merge) on one line.
//!
//! So a file has a line per token and per merge, which `diff` and `grep` can use. Layout is part of the file format: digests
//! of files stand in records.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::error::{Error, Result};

/// The text of a document, with a line end.
pub(super) fn write(document: &Value) -> Result<String> {
    let mut text = Vec::new();
    let written = document.serialize(&mut Serializer::with_formatter(&mut text, Layout::default()));
    text.push(b'\n');
    let text = written.ok().and_then(|()| String::from_utf8(text).ok());
    text.ok_or_else(|| Error::vocabulary("it cannot be written as JSON"))
}

/// `serde_json`'s own layout until a list is open, then its contents on one line.
#[derive(Default)]
struct Layout {
    pretty: PrettyFormatter<'static>,
    /// Lists that are open.
    lists: usize,
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.lists += 1;
        if self.lists > 1 { writer.write_all(b"[") } else { self.pretty.begin_array(writer) }
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.lists -= 1;
        if self.lists > 0 { writer.write_all(b"]") } else { self.pretty.end_array(writer) }
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if self.lists == 1 {
            return self.pretty.begin_array_value(writer, first);
        }
        writer.write_all(if first { b"" } else { b", " })
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.lists == 1 { self.pretty.end_array_value(writer) } else { Ok(()) }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.pretty.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_object_value(writer)
    }
}

//! Says where the binary and unary expressions and the match arms of Rust files are.
//!
//! cargo-mutants says where the operator of a mutant is; to make the mutant switchable, its operands must be
//! known too. A line for each: the file, the kind, and the first and last place (`line:column`) of the operator and of the
//! expression, or of the arm and of its pattern.

use proc_macro2::{LineColumn, Span};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

struct Finder<'a>(&'a str);

impl Finder<'_> {
    fn print(&self, kind: &str, spans: [Span; 2]) {
        let place = |at: LineColumn| format!("{}:{}", at.line, at.column);
        let [one, other] = spans.map(|span| format!("{}\t{}", place(span.start()), place(span.end())));
        println!("{}\t{kind}\t{one}\t{other}", self.0);
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        self.print("BinaryOperator", [binary.op.span(), binary.span()]);
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        self.print("UnaryOperator", [unary.op.span(), unary.span()]);
        visit::visit_expr_unary(self, unary);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.print("MatchArm", [arm.span(), arm.pat.span()]);
        visit::visit_arm(self, arm);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let file = syn::parse_file(&std::fs::read_to_string(&path)?)?;
        Finder(&path).visit_file(&file);
    }
    Ok(())
}

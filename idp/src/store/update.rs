//! The statements of the hot path that are written out, so that they are prepared once per connection.
//!
//! Diesel prepares what its own update builder and transaction manager make anew at every call: some 10 µs on SQLite,
//! a round trip on PostgreSQL. What its insert builder makes is prepared once, but walked column by column three times for
//! each row. These few are still one text for both databases.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Nullable, Text};

#[derive(Clone, Copy)]
pub(super) enum Bind<'a> {
    Text(&'a str),
    MaybeText(Option<&'a str>),
    Number(i64),
    MaybeNumber(Option<i64>),
    Flag(bool),
}

impl<'a> Bind<'a> {
    pub(super) fn has_nul(&self) -> bool {
        matches!(self, Bind::Text(text) | Bind::MaybeText(Some(text)) if text.contains('\0'))
    }

    fn push<'b, DB>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        'a: 'b,
        DB: Backend + HasSqlType<Text> + HasSqlType<BigInt> + HasSqlType<Bool>,
        str: ToSql<Text, DB>,
        i64: ToSql<BigInt, DB>,
        bool: ToSql<Bool, DB>,
    {
        match self {
            Bind::Text(text) => out.push_bind_param::<Text, str>(text),
            Bind::MaybeText(text) => out.push_bind_param::<Nullable<Text>, Option<&'a str>>(text),
            Bind::Number(number) => out.push_bind_param::<BigInt, i64>(number),
            Bind::MaybeNumber(number) => out.push_bind_param::<Nullable<BigInt>, Option<i64>>(number),
            Bind::Flag(flag) => out.push_bind_param::<Bool, bool>(flag),
        }
    }
}

/// An insert told from every other by its type, so that its text is put together once per connection.
pub(super) trait Insertion: 'static {
    /// What stands before the values of the row: the table and its columns.
    const INTO: &'static str;
    /// What stands after them.
    const END: &'static str = "";
}

/// One row of it.
pub(super) struct Insert<'a, I, const N: usize> {
    values: [Bind<'a>; N],
    insertion: PhantomData<I>,
}

impl<'a, I: Insertion, const N: usize> Insert<'a, I, N> {
    pub(super) fn of(_: I, values: [Bind<'a>; N]) -> Self {
        Insert { values, insertion: PhantomData }
    }

    pub(super) fn values(&self) -> &[Bind<'a>] {
        &self.values
    }
}

impl<I: Insertion, const N: usize> QueryId for Insert<'_, I, N> {
    type QueryId = I;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<I, DB, const N: usize> QueryFragment<DB> for Insert<'_, I, N>
where
    I: Insertion,
    DB: Backend + HasSqlType<Text> + HasSqlType<BigInt> + HasSqlType<Bool>,
    str: ToSql<Text, DB>,
    i64: ToSql<BigInt, DB>,
    bool: ToSql<Bool, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(I::INTO);
        let mut before = " VALUES (";
        for value in &self.values {
            out.push_sql(before);
            value.push(&mut out)?;
            before = ", ";
        }
        out.push_sql(")");
        out.push_sql(I::END);
        Ok(())
    }
}

impl<Conn, I, const N: usize> RunQueryDsl<Conn> for Insert<'_, I, N> {}

/// Each piece of the statement is followed by its bound value, so conditions without one come first.
pub(super) struct Update<'a, const N: usize> {
    pub(super) pieces: [&'static str; N],
    pub(super) binds: [Bind<'a>; N],
}

impl<const N: usize> QueryId for Update<'_, N> {
    type QueryId = ();
    // The type does not tell one statement from another; the text does.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB, const N: usize> QueryFragment<DB> for Update<'_, N>
where
    DB: Backend + HasSqlType<Text> + HasSqlType<BigInt> + HasSqlType<Bool>,
    str: ToSql<Text, DB>,
    i64: ToSql<BigInt, DB>,
    bool: ToSql<Bool, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        for (piece, bind) in self.pieces.iter().zip(&self.binds) {
            out.push_sql(piece);
            bind.push(&mut out)?;
        }
        Ok(())
    }
}

impl<Conn, const N: usize> RunQueryDsl<Conn> for Update<'_, N> {}

/// A statement without values, prepared once per connection.
pub(super) struct Plain(pub(super) &'static str);

impl QueryId for Plain {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Backend> QueryFragment<DB> for Plain {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.0);
        Ok(())
    }
}

impl<Conn> RunQueryDsl<Conn> for Plain {}

//! The statements of the hot path that are written out, so that they are prepared once per connection.
//!
//! Diesel prepares what its own update builder and transaction manager make anew at every call: some 10 µs on SQLite,
//! a round trip on PostgreSQL. These few are still one text for both databases.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Text};

pub(super) enum Bind<'a> {
    Text(&'a str),
    Number(i64),
}

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
    DB: Backend + HasSqlType<Text> + HasSqlType<BigInt>,
    str: ToSql<Text, DB>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        for (piece, bind) in self.pieces.iter().zip(&self.binds) {
            out.push_sql(piece);
            match bind {
                Bind::Text(text) => out.push_bind_param::<Text, str>(text)?,
                Bind::Number(number) => out.push_bind_param::<BigInt, i64>(number)?,
            }
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

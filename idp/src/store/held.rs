//! Rows held back on PostgreSQL until every piece of work of a group has said its own: one statement then adds all of them.
//!
//! Each statement costs both ends a round trip, and each transaction two more. Pieces of work that do nothing but read clients
//! and add rows whose outcome they need not know share what is left: one statement, which is a transaction of its own.
//! Whatever else a piece says ends the holding: a transaction is begun, and what was held is in it before that.

use diesel::connection::AnsiTransactionManager;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, BigInt, Bool, HasSqlType, Nullable, Text};

use super::db::{Db, Link, on_each};
use super::update::{Bind, Insert, Insertion};
use crate::domain::Fault;

/// Rows by the table they go to, column by column.
#[derive(Default)]
pub(super) struct Held(Vec<Block>);

struct Block {
    into: &'static str,
    columns: Vec<Column>,
}

enum Column {
    Text(Vec<Option<String>>),
    Number(Vec<Option<i64>>),
    Flag(Vec<Option<bool>>),
}

impl Held {
    fn keep(&mut self, into: &'static str, row: &[Bind<'_>]) -> Result<(), Fault> {
        // No text of PostgreSQL has one; the server would refuse the rows of everybody.
        if row.iter().any(Bind::has_nul) {
            return Err(Fault::broken("store", "a text with a NUL"));
        }
        let known = self.0.iter().position(|block| block.into == into);
        let at = known.unwrap_or_else(|| {
            self.0.push(Block { into, columns: row.iter().map(Column::of).collect() });
            self.0.len() - 1
        });
        let columns = self.0.get_mut(at).map(|block| &mut block.columns).into_iter().flatten();
        columns.zip(row).try_for_each(|(column, value)| column.push(value))
    }
}

impl Column {
    fn of(value: &Bind<'_>) -> Column {
        match value {
            Bind::Text(_) | Bind::MaybeText(_) => Column::Text(Vec::new()),
            Bind::Number(_) | Bind::MaybeNumber(_) => Column::Number(Vec::new()),
            Bind::Flag(_) => Column::Flag(Vec::new()),
        }
    }

    fn push(&mut self, value: &Bind<'_>) -> Result<(), Fault> {
        match (self, *value) {
            (Column::Text(values), Bind::Text(text)) => values.push(Some(text.to_owned())),
            (Column::Text(values), Bind::MaybeText(text)) => values.push(text.map(str::to_owned)),
            (Column::Number(values), Bind::Number(number)) => values.push(Some(number)),
            (Column::Number(values), Bind::MaybeNumber(number)) => values.push(number),
            (Column::Flag(values), Bind::Flag(flag)) => values.push(Some(flag)),
            _ => return Err(Fault::broken("store", "a column of two kinds")),
        }
        Ok(())
    }

    fn walk<'b>(&'b self, single: bool, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self {
            Column::Text(values) => push::<Text, _>(values, single, out),
            Column::Number(values) => push::<BigInt, _>(values, single, out),
            Column::Flag(values) => push::<Bool, _>(values, single, out),
        }
    }
}

/// The one value there is, or all as an array.
fn push<'b, Kind: 'static, T>(
    values: &'b Vec<Option<T>>,
    single: bool,
    out: &mut AstPass<'_, 'b, Pg>,
) -> QueryResult<()>
where
    Pg: HasSqlType<Nullable<Kind>> + HasSqlType<Array<Nullable<Kind>>>,
    Option<T>: ToSql<Nullable<Kind>, Pg>,
    Vec<Option<T>>: ToSql<Array<Nullable<Kind>>, Pg>,
{
    match values.first().filter(|_| single) {
        Some(value) => out.push_bind_param::<Nullable<Kind>, Option<T>>(value),
        None => out.push_bind_param::<Array<Nullable<Kind>>, Vec<Option<T>>>(values),
    }
}

impl Block {
    fn is_single(&self) -> bool {
        self.columns.iter().all(|column| match column {
            Column::Text(values) => values.len() == 1,
            Column::Number(values) => values.len() == 1,
            Column::Flag(values) => values.len() == 1,
        })
    }

    fn walk<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let single = self.is_single();
        out.push_sql(self.into);
        let mut before = if single { " VALUES (" } else { " SELECT * FROM unnest(" };
        for column in &self.columns {
            out.push_sql(before);
            column.walk(single, out)?;
            before = ", ";
        }
        // Those who bring the same values at once, here and elsewhere, take them in one order and never wait in a circle.
        out.push_sql(if single { ")" } else { ") ORDER BY 1, 2" });
        Ok(())
    }
}

impl QueryId for Held {
    type QueryId = ();
    // Which tables it writes to is told by the text alone.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for Held {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let Some((last, others)) = self.0.split_last() else { return Ok(()) };
        for (number, block) in others.iter().enumerate() {
            out.push_sql(if number == 0 { "WITH " } else { ", " });
            out.push_sql(&format!("held_{number} AS ("));
            block.walk(&mut out)?;
            out.push_sql(")");
        }
        out.push_sql(" ");
        last.walk(&mut out)
    }
}

impl RunQueryDsl<PgConnection> for Held {}

impl Db {
    /// Adds a row, now or with all that is held. Held, it counts as added: should another have been there first, the
    /// statement that adds it fails, and whoever holds asks each piece of work again.
    pub(super) fn add<I: Insertion, const N: usize>(&mut self, insert: Insert<'_, I, N>) -> Result<usize, Fault> {
        match &mut self.held {
            Some(held) => held.keep(I::INTO, insert.values()).map(|()| 1),
            None => Ok(on_each!(self, |link| insert.execute(link))?),
        }
    }

    /// Holds from here on.
    pub(super) fn hold(&mut self) {
        self.wrote_client = false;
        self.seen.clear();
        self.held = Some(Held::default());
    }

    /// Ends the holding with all of it on disk, by one statement where nothing else was said.
    pub(super) fn settle(&mut self) -> Result<(), Fault> {
        self.seen.clear();
        match self.held.take() {
            Some(held) => Ok(self.say_held(held)?),
            None => self.commit(),
        }
    }

    /// Ends it with nothing done.
    pub(super) fn let_go(&mut self) -> Result<(), Fault> {
        self.seen.clear();
        self.held = None;
        self.roll_back_to(0)
    }

    /// Before anything that is not held is said: from here on this is an ordinary transaction.
    pub(super) fn release(&mut self) -> QueryResult<()> {
        let Some(held) = self.held.take() else { return Ok(()) };
        if let Link::Postgres(link) = &mut self.link {
            AnsiTransactionManager::begin_transaction_sql(link.as_mut(), "BEGIN")?;
        }
        self.say_held(held)
    }

    fn say_held(&mut self, held: Held) -> QueryResult<()> {
        match &mut self.link {
            Link::Postgres(link) if !held.0.is_empty() => held.execute(link.as_mut()).map(drop),
            _ => Ok(()),
        }
    }
}

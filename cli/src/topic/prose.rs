//! Topics that no table tells.

use crate::args::{DEFAULT_STORE, SERVER_VARIABLE, STORE_VARIABLE};
use crate::client::TOKEN_VARIABLE;

pub(super) fn queries() -> String {
    "\
Queries: one text form for the command line and every other door.

  METRIC[, METRIC…] [by DIM[, DIM…]] [where COND [and COND]…] [RANGE] [as of X] [rule NAME]
      [approx] [order by COLUMN [asc|desc]] [top N]

  METRIC  see footfall help metrics
  DIM     see footfall help dimensions
  COND    DIM = v | != v | < v | <= v | > v | >= v | in (v, …) | not in (v, …)
          | ~ \"glob\" | !~ \"glob\" | [not] in_set(\"name\")
  RANGE   see footfall help dates
  X       a day or an instant: the Hub's numbers as they were known then
  NAME    see footfall help rules

  downloads
  downloaders by month
  downloads, downloaders by country where repo = \"acme/llama-7b\" and ci != flagged last 30d top 10
  requests by status where repo ~ \"acme/*\" in 2026-07
  downloads by day rule files from 2026-07-01 to 2026-07-14
  hub_downloads by day last 30d as of 2026-07-14

A value is bare or in double quotes; \"\" is the absent value. In a glob * is any run, ? one
character, \\ takes the next one as it is; it covers the whole value. repo = a/x matches every type
of that name, repo = dataset:a/x one. Without `order by`, time ascends, else the first metric
descends.
"
    .to_owned()
}

pub(super) fn dates() -> String {
    "\
Dates. Days are UTC days. Ranges that count back end with the newest complete day in the store, not
with today, so that the same store gives the same answer tomorrow.

  query text                  option               which instants
  last 30d                    --last 30d           the 30 days that end with the newest complete day
  last 4w, last 12m, last 1y  --last 12m           weeks, calendar months, years
  last-month                  --last month         the same as last 30d, as on the Hub
  previous-month              --in previous-month  the calendar month before
  in 2026-07                  --in 2026-07         any label: 2026, 2026-Q3, 2026-W29, 2026-07-14
  from 2026-07-01             --from 2026-07-01    from the first instant of that day
  from X to 2026-07-14        --to 2026-07-14      that day is included
  to 2026-07-14T08:00:00Z     --to …               an instant as the end is excluded
  all                                              all that is stored, the default

A day is complete if a later day is there, or, in logs, if it has a row at or after 23:00. A bucket
that the range cuts, or with a day that is missing or not complete, is partial: it has a star.
"
    .to_owned()
}

pub(super) fn server() -> String {
    format!(
        "\
The server. footfall serve shows the dashboard on http://localhost:4816, answers there and over the
line protocol (127.0.0.1:4815), and takes in what is sent to it or laid into EXPORTS. It reads the
newest commit for every question.

  footfall --server localhost:4815 totals    read commands, asked of a server; a token is in
                                             {TOKEN_VARIABLE}
  curl 'localhost:4816/api/v1/query?q=downloads+by+month&format=csv'

Without tokens it listens on addresses of this machine alone and answers everybody there. The first
footfall token add closes the store to everybody without one.

A file of --config has the options under their names, as TOML. Options come before variables,
variables before the file.

  listen = [\"127.0.0.1:4815\"]   http = [\"none\"]      unix = \"/run/footfall.sock\"
  host = [\"stats.acme.org\"]     watch = [\"exports\"]  badge = [\"acme/*\"]
  frame = [\"acme.org\"]          query_seconds = 30
"
    )
}

pub(super) fn environment() -> String {
    format!(
        "\
Environment: variables that are read.

  {STORE_VARIABLE}  the store's directory; --store comes first, {DEFAULT_STORE} last
  {SERVER_VARIABLE}  a server to ask in place of a store; --server comes first
  {TOKEN_VARIABLE}  the token to show to it
  NO_COLOR        not empty: no colours
  CLICOLOR_FORCE  not empty and not 0: colours also in a pipe
  CLICOLOR        0: no colours
  TERM            dumb: no colours
"
    )
}

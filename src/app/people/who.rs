//! `who`: lists who is logged in.

use std::time::SystemTime;

use anyhow::Result;
use clap::ArgMatches;

use super::{Run, ended};
use crate::app::run;
use crate::cli::WhoArgs;
use crate::exit::Exit;
use crate::people::{self, Document, Keys, Table, Visitors};
use crate::policy::Class;
use crate::reap::{Mode, Plan, Stop};
use crate::report::{Format, Out};
use crate::settings::{Settings, Surroundings};
use crate::tally::Tally;
use crate::time::Timestamp;

/// Lists who is logged in, and changes nothing.
pub(in crate::app) fn who(
    args: WhoArgs,
    matches: &ArgMatches,
    around: &Surroundings,
    (quiet, stop): (bool, &Stop),
    tell_of_the_service: impl Fn(&Settings),
) -> Result<Exit> {
    let settings = Settings::new(None, args.plain, None, matches, around)?;
    tell_of_the_service(&settings);
    let everybody = !args.selectors.are_given();
    let selection = args.selectors.selection();
    let store = run::open(&settings)?;
    let now = Timestamp::of(SystemTime::now());
    let run = Run {
        selection: &selection,
        store: &store,
        stop,
        now,
        quiet,
    };
    let plan = run::plan(&settings, &store, now);
    let table = Table::new(Out::stdout(), args.format, now, args.devices);
    let (mut seen, tally, end) = run.look(&plan, &Keys::default(), table, (args.devices, false));
    let (exit, named) = ended(&seen, &tally, end);
    let visitors = visitors(&plan, &tally).filter(|_| everybody);
    let out = &mut seen.table.out;
    match args.format {
        Format::Text => {
            let said = people::who(&seen.counts, visitors, out.numbers());
            out.line(said);
            out.flush();
        }
        Format::Json => {
            let document = Document {
                visitors,
                ..run.document("who", &seen, &tally, exit)
            };
            seen.table.close(&document);
        }
    }
    run.warn(&tally);
    named?;
    Ok(run::told(&seen.table.out, Mode::Audit, exit))
}

/// How many visitors there are, and how many never came back, where anybody notes that.
fn visitors(plan: &Plan, tally: &Tally) -> Option<Visitors> {
    let noted = plan.policy.reads.grain().is_some() && tally.reads.any;
    noted.then(|| Visitors {
        sessions: tally.row(Class::Anonymous).all.files,
        never_came_back: tally.reads.bounced,
    })
}

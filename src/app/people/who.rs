//! `who`: lists who is logged in.

use anyhow::Result;
use clap::ArgMatches;

use super::{Run, ended, warn};
use crate::app::run;
use crate::cli::WhoArgs;
use crate::exit::Exit;
use crate::people::{self, Document, Visitors};
use crate::policy::Class;
use crate::reap::{Mode, Plan, Stop};
use crate::settings::{Settings, Surroundings};
use crate::tally::Tally;

/// Lists who is logged in, and changes nothing.
pub(in crate::app) fn who(
    args: WhoArgs,
    matches: &ArgMatches,
    around: &Surroundings,
    how: (bool, &Stop),
    tell_of_the_service: impl Fn(&Settings),
) -> Result<Exit> {
    let settings = Settings::new(None, args.plain, None, matches, around)?;
    tell_of_the_service(&settings);
    let everybody = !args.selectors.are_given();
    let run = Run::open(&settings, args.selectors.selection(), args.format, how)?;
    let (mut seen, tally, end) = run.look(args.devices, false);
    let (exit, named) = ended(&seen, &tally, end);
    let visitors = visitors(&run.plan, &tally).filter(|_| everybody);
    let said = people::who(&seen.counts, visitors, seen.table.out.numbers());
    let document = Document {
        visitors,
        ..run.document("who", &seen, &tally, exit)
    };
    seen.table.close(&said, &document);
    warn(&seen, &tally);
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

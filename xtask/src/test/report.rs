//! The steps that ran, and their printed report.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::e2e::Outcome;

/// The steps that were run.
pub struct Report {
    pub start: Instant,
    steps: Vec<Step>,
    /// Parts that were left out for want of time.
    pub left_out: Vec<&'static str>,
}

struct Step {
    name: String,
    time: Duration,
    outcome: Outcome,
    ok: bool,
}

impl Report {
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            steps: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Prints a heading, the time of the step, and after a failure the command that runs only this step.
    pub fn step(
        &mut self,
        name: &str,
        rerun: &str,
        run: impl FnOnce() -> Result<Outcome>,
    ) -> Result<()> {
        println!("\n━━ {name}");
        let start = Instant::now();
        let result = run();
        let time = start.elapsed();
        let ok = matches!(&result, Ok(outcome) if outcome.failed.is_empty());
        let seconds = time.as_secs_f64();
        if ok {
            println!("━━ {name}: ok, {seconds:.1} s");
        } else {
            println!("━━ {name}: FAILED after {seconds:.1} s. To run only this again:\n   {rerun}");
        }
        let (outcome, result) = match result {
            Ok(outcome) if ok => (outcome, Ok(())),
            Ok(outcome) => (outcome, Err(anyhow::anyhow!("{name} failed"))),
            Err(error) => {
                let failed = vec![name.to_owned()];
                let outcome = Outcome {
                    failed,
                    ..Outcome::default()
                };
                (outcome, Err(error))
            }
        };
        self.steps.push(Step {
            name: name.to_owned(),
            time,
            outcome,
            ok,
        });
        result
    }

    /// Prints the steps with their times, the skipped, left out and failed ones, and the totals in the last line.
    pub fn print(&self) {
        println!("\n━━ steps");
        for step in &self.steps {
            let Outcome {
                passed,
                failed,
                skipped,
            } = &step.outcome;
            let counts = if passed + failed.len() + skipped.len() == 0 {
                String::new()
            } else {
                format!("{passed} passed, {} failed", failed.len())
            };
            let state = if step.ok { "ok" } else { "FAILED" };
            println!(
                "{:<28}{:>8}  {state:<8}{counts}",
                step.name,
                minutes(step.time)
            );
        }
        println!("{:<28}{:>8}", "in all", minutes(self.start.elapsed()));
        let outcomes = || self.steps.iter().map(|step| &step.outcome);
        for (title, names) in [
            (
                "skipped",
                outcomes().flat_map(|o| &o.skipped).collect::<Vec<_>>(),
            ),
            ("failed", outcomes().flat_map(|o| &o.failed).collect()),
        ] {
            for name in names {
                println!("{title}: {name}");
            }
        }
        if !self.left_out.is_empty() {
            println!(
                "left out, for want of time: {} (`cargo xtask test --part NAME`)",
                self.left_out.join(", ")
            );
        }
        let passed: usize = outcomes().map(|outcome| outcome.passed).sum();
        let failed: usize = outcomes().map(|outcome| outcome.failed.len()).sum();
        let skipped: usize = outcomes().map(|outcome| outcome.skipped.len()).sum();
        println!("\n{passed} passed, {failed} failed, {skipped} skipped");
    }
}

/// Minutes and seconds.
fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

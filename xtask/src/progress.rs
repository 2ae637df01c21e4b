//! Prints the step that a long command has begun, and in a fresh clone the share of the work that is done.

/// The steps of `dev` in their order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Tools,
    Worker,
    Widget,
    Bundle,
    Database,
    Server,
}

/// The titles of the steps, with the seconds of processor time that each took in a fresh clone. The npm packages are
/// installed while the Worker is compiled.
const STEPS: [(Step, &str, u32); 6] = [
    (Step::Tools, "installing tools", 1),
    (Step::Worker, "compiling the Worker", 200),
    (Step::Widget, "compiling the widget", 67),
    (Step::Bundle, "bundling", 6),
    (Step::Database, "filling the database", 10),
    (Step::Server, "starting the Worker", 3),
];

/// The time in which Cargo has compiled this tool, before it could print progress.
const ITSELF: u32 = 113;

/// Prints a line when a step begins. Cargo itself prints the progress of a compilation.
pub struct Progress {
    shown: bool,
    first: bool,
}

impl Progress {
    /// With the share of the work before each step, where everything is done for the first time.
    pub fn new(first: bool) -> Self {
        Self { shown: true, first }
    }

    /// Without shares, for a command that another command runs.
    pub fn silent() -> Self {
        Self {
            shown: false,
            first: false,
        }
    }

    /// A step begins.
    pub fn begin(&mut self, step: Step) {
        if self.shown {
            println!("{}", line(step, self.first));
        }
    }
}

fn line(step: Step, first: bool) -> String {
    let before = STEPS.iter().take_while(|(other, ..)| *other != step);
    let number = before.clone().count() + 1;
    let name = STEPS
        .iter()
        .find(|(other, ..)| *other == step)
        .map_or("", |(_, name, _)| name);
    let count = STEPS.len();
    if !first {
        return format!("[{number}/{count}] {name}");
    }
    let cost = |done: u32, (_, _, cost): &(Step, &str, u32)| done + cost;
    let done = before.fold(ITSELF, cost);
    let all = STEPS.iter().fold(ITSELF, cost);
    format!("[{number}/{count} · {} %] {name}", done * 100 / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_says_how_much_is_done_before_it() {
        assert!(line(Step::Tools, true).starts_with("[1/6 · "));
        assert_eq!(line(Step::Tools, false), "[1/6] installing tools");
        assert_eq!(line(Step::Server, false), "[6/6] starting the Worker");
        let shares = STEPS.map(|(step, ..)| {
            let line = line(step, true);
            let (_, share) = line.split_once("· ").unwrap();
            let (share, _) = share.split_once(" %").unwrap();
            share.parse::<u32>().unwrap()
        });
        assert!(
            shares.is_sorted() && shares[0] > 0 && shares[5] < 100,
            "{shares:?}"
        );
    }
}

//! The session as the page and the edge meet it: events in, effects out.

#[cfg(test)]
mod exchange;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod known;
#[cfg(test)]
mod random;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod session;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tabs;
#[cfg(test)]
mod told;

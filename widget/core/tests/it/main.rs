//! The chat from outside: events in, effects out.

#[cfg(test)]
mod exchange;
#[cfg(test)]
mod host_events;
#[cfg(test)]
mod hours;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod random;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod session;
#[cfg(test)]
mod storage;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tabs;

//! How answers get home: those of one commit that one thread waits for arrive together and wake it once. Woken for each of
//! them, it would take the processor away from whoever still has the others to hand over.

use std::cell::RefCell;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::queue::Job;
use crate::domain::Fault;

thread_local! {
    static HERE: RefCell<Option<Home>> = const { RefCell::new(None) };
}

/// A thread whose requests wait on that thread alone.
#[derive(Clone)]
pub(super) struct Home(UnboundedSender<Vec<Parcel>>);

/// Work whose effect is decided, and what spoiled it.
type Parcel = (Box<dyn Job>, Option<Fault>);

impl Home {
    /// This thread's, where it has a runtime to itself.
    pub(super) fn here() -> Option<Home> {
        HERE.with_borrow_mut(|here| {
            if here.as_ref().is_none_or(|home| home.0.is_closed()) {
                *here = Home::open();
            }
            here.clone()
        })
    }

    fn open() -> Option<Home> {
        let runtime = Handle::try_current().ok().filter(|it| it.runtime_flavor() == RuntimeFlavor::CurrentThread)?;
        let (sender, receiver) = unbounded_channel();
        runtime.spawn(receive(receiver));
        Some(Home(sender))
    }
}

async fn receive(mut parcels: UnboundedReceiver<Vec<Parcel>>) {
    while let Some(parcels) = parcels.recv().await {
        hand_over(parcels);
    }
}

fn hand_over(parcels: Vec<Parcel>) {
    for (job, spoiled) in parcels {
        job.answer(spoiled);
    }
}

/// Sends each piece of work its answer.
pub(super) fn send(parcels: impl Iterator<Item = Parcel>) {
    let mut bundles: Vec<(Home, Vec<Parcel>)> = Vec::new();
    for (job, spoiled) in parcels {
        let Some(home) = job.home().cloned() else {
            job.answer(spoiled);
            continue;
        };
        match bundles.iter_mut().find(|(known, _)| known.0.same_channel(&home.0)) {
            Some((_, bundle)) => bundle.push((job, spoiled)),
            None => bundles.push((home, vec![(job, spoiled)])),
        }
    }
    for (home, bundle) in bundles {
        // Nobody is home any more; whoever moved on may still hear.
        if let Err(returned) = home.0.send(bundle) {
            hand_over(returned.0);
        }
    }
}

//! The stacks that scenarios share.

use std::{
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::Result;
use kms_e2e::World;

/// Stacks, each lent to one scenario at a time. There are as many as scenarios ran at once.
#[derive(Debug)]
pub struct Pool {
    folder: PathBuf,
    worlds: Mutex<Worlds>,
}

#[derive(Debug, Default)]
struct Worlds {
    begun: usize,
    idle: Vec<World>,
}

/// A stack that goes back to the pool in the end, also after a panic: who comes next mends what is broken.
#[derive(Debug)]
pub struct Lent<'a> {
    pool: &'a Pool,
    /// `None` only while it is dropped.
    world: Option<World>,
}

impl Pool {
    /// Without a stack so far; they will be in this folder.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), worlds: Mutex::default() }
    }

    /// A stack with everything running, begun if all others are lent.
    pub async fn take(&self) -> Result<Lent<'_>> {
        let idle = self.worlds().idle.pop();
        let world = match idle {
            Some(world) => world,
            None => self.begin().await?,
        };
        let mut lent = Lent { pool: self, world: Some(world) };
        lent.settled().await?;
        Ok(lent)
    }

    async fn begin(&self) -> Result<World> {
        let number = {
            let mut worlds = self.worlds();
            worlds.begun += 1;
            worlds.begun
        };
        World::begin(&self.folder.join(number.to_string()), &format!("test-{number}")).await
    }

    /// Stops all stacks.
    pub async fn stop(&self) -> Result<()> {
        let idle = std::mem::take(&mut self.worlds().idle);
        for mut world in idle {
            world.stack.stop().await?;
        }
        Ok(())
    }

    fn worlds(&self) -> MutexGuard<'_, Worlds> {
        self.worlds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Lent<'_> {
    type Target = World;

    fn deref(&self) -> &World {
        self.world.as_ref().unwrap()
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut World {
        self.world.as_mut().unwrap()
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.pool.worlds().idle.extend(self.world.take());
    }
}

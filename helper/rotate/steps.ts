/**
 * The steps of a rotation. Law: the bare name always reads a key that the host accepts.
 *
 * Each step can be repeated, and what was done is read from AWS (progress.ts). So the same command goes on wherever an
 * earlier one stopped.
 */
import { isSame, type Progress, type StoredKey, type Versions } from './progress.ts';
import { checkRepository, giveUp, register, removeFrom } from './registration.ts';
import type { Rotation } from './rotation.ts';

export interface Outcome {
  /**
   * - `staged`: somebody has to register the new public key;
   * - `rotated`: everybody gets the new key, and the old public key waits for --finish;
   * - `finished`, `aborted`: one key is left; `unchanged`: there was nothing to do.
   */
  readonly state: 'staged' | 'rotated' | 'finished' | 'aborted' | 'unchanged';
  readonly arn: string;
  /** What the bare name reads. */
  readonly latest: StoredKey;
  /** The new key until it is the latest version. */
  readonly next?: StoredKey;
  /** The key that the host still accepts beside the latest one, or that somebody has to remove there. */
  readonly other?: StoredKey;
  /** After `aborted`: the key from before the rotation, if somebody else stored another one. --finish removes it. */
  readonly previous?: StoredKey;
}

/** Turns the key over, as far as possible. @throws the errors of AWS, of the host, and of a key that is not accepted */
export async function rotate<V extends Versions>(rotation: Rotation<V>): Promise<Outcome> {
  const { plan, store, host, refusals, prove, say } = rotation;
  let progress = await store.look();
  if (progress.state === 'rotated' || progress.state === 'ending') throw refusals.waiting();
  if (progress.state === 'none' || progress.state === 'begun')
    progress = await stageNewKey(rotation, progress);
  if (progress.state === 'changed') throw refusals.changed('abort');
  const next = nextOf(progress, rotation);
  if (progress.state !== 'served') {
    if (host) await register(host, progress, rotation);
    else if (!plan.registered) return { ...outcomeOf('staged', progress), next };
    await prove(next, 'the new key');
    say(`the host accepts the new key ${next.key.publicKey.type}`);
    progress = await lookAgain(rotation, next);
  }
  return await serve(rotation, progress, next);
}

/** From here on the host accepts both keys. The old one is labelled before it is replaced, so that it is found later. */
async function serve<V extends Versions>(
  rotation: Rotation<V>,
  proven: Progress<V>,
  next: StoredKey,
): Promise<Outcome> {
  const { plan, store, say, refusals, words } = rotation;
  let progress = proven;
  if (progress.state === 'staged') {
    await store.label('previous', progress.latest.version, progress.versions);
    progress = await lookAgain(rotation, next);
  }
  let { version } = progress.latest;
  if (progress.state === 'kept') {
    version = await store.serveNext(progress.versions);
    say(`${plan.reference.text} is the new key now, as ${words.version} ${version}`);
  } else if (!isSame(progress.latest, next)) throw refusals.changed('abort');
  // Else another process has done it.
  if (progress.next) await store.settle(version, progress.versions);
  const { previous, versions } = progress;
  const outcome: Outcome = { state: 'rotated', arn: versions.arn, latest: { ...next, version } };
  return previous ? { ...outcome, other: previous } : outcome;
}

/** Removes the old public key from the host. @throws as rotate */
export async function finish<V extends Versions>(rotation: Rotation<V>): Promise<Outcome> {
  const { plan, store, host, prove, say, refusals } = rotation;
  const found = await store.look();
  if (found.state === 'none') return outcomeOf('unchanged', found);
  if (found.state === 'changed') throw refusals.changed('abort');
  if (found.state === 'ending') return await endOld(rotation, found);
  if (found.state !== 'rotated' || !found.previous) throw refusals.unfinished();
  await prove(found.latest, 'the new key');
  if (host) await checkRepository(host, [found.latest], rotation);
  const progress = await dropStray(rotation, found);
  const { latest, previous, versions } = progress;
  const other = previous && !isSame(previous, latest) ? previous : undefined;
  if (!other) say(`${plan.reference.text} is the old key again: nothing is removed`);
  else if (host) await removeFrom(host, other, rotation);
  await store.unlabel('previous', versions);
  return { ...outcomeOf('finished', progress), ...(other && { other }) };
}

/** The old public key was removed before, and cannot be read any more. */
async function endOld<V extends Versions>(
  { store, plan, say }: Rotation<V>,
  progress: Progress<V>,
): Promise<Outcome> {
  say(`the old key of ${plan.reference.text} was given up before: its public key cannot be printed again`);
  await store.unlabel('previous', progress.versions);
  return outcomeOf('finished', progress);
}

/** Goes back to the old key, and removes the new public key from the host. @throws as rotate */
export async function abort<V extends Versions>(rotation: Rotation<V>): Promise<Outcome> {
  const { store, host, refusals } = rotation;
  let progress = await store.look();
  if (progress.state === 'none') return outcomeOf('unchanged', progress);
  if (progress.state === 'ending') throw refusals.tooLate();
  if (host) await checkRepository(host, [progress.latest, progress.previous, progress.next], rotation);
  if (progress.state === 'rotated' || progress.state === 'served') {
    progress = await serveOldKey(rotation, progress);
  }
  const { latest, previous, next, versions } = progress;
  const other = next && !isSame(next, latest) ? next : undefined;
  if (host && other) await removeFrom(host, other, rotation);
  // The key of somebody else: the host still accepts the one before it, which --finish finds by its label.
  const isTheirs = previous !== undefined && !isSame(previous, latest);
  if (previous && !isTheirs) {
    // The label is on the version that is given up.
    if (versions.current !== undefined) await store.label('current', latest.version, versions);
    await store.unlabel('previous', versions);
  }
  await store.unstage(versions);
  return { ...outcomeOf('aborted', progress), ...(other && { other }), ...(isTheirs && { previous }) };
}

/**
 * The new key is staged first, also if its rotation was complete: so the next run still knows which public key to remove.
 */
async function serveOldKey<V extends Versions>(
  rotation: Rotation<V>,
  found: Progress<V>,
): Promise<Progress<V>> {
  const { plan, store, prove, say, refusals, words } = rotation;
  const { previous, latest, state } = found;
  const isOthers = state === 'rotated' && found.versions.current !== latest.version;
  if (!previous || isOthers || isSame(previous, latest)) throw refusals.changed('finish');
  // Its public key may be gone already: --finish may have been stopped after it had removed it.
  await prove(previous, 'the old key');
  const { versions } = await dropStray(rotation, found);
  if (state === 'rotated') await store.stageLatest(versions);
  const version = await store.servePrevious(versions);
  say(`${plan.reference.text} is the old key again, as ${words.version} ${version}`);
  return await rotation.store.look();
}

/** Proving takes a while. Meanwhile another process may have served the new key, or have staged or stored another one. */
async function lookAgain<V extends Versions>(rotation: Rotation<V>, proven: StoredKey): Promise<Progress<V>> {
  const progress = await rotation.store.look();
  const { next, latest } = progress;
  if (isSame(next ?? latest, proven)) return progress;
  if (isSame(latest, proven)) return await dropStray(rotation, progress);
  await giveUp(proven, progress, rotation);
  await rotation.store.discard(proven);
  throw next ? rotation.refusals.replaced() : rotation.refusals.ended();
}

async function stageNewKey<V extends Versions>(
  rotation: Rotation<V>,
  progress: Progress<V>,
): Promise<Progress<V>> {
  const { plan, store, say, refusals, words } = rotation;
  if (plan.registered) throw refusals.notStaged();
  await store.stageNew(progress);
  // Another process may have staged its key first, or may have ended its rotation meanwhile.
  const staged = await rotation.store.look();
  if (staged.state === 'rotated') {
    await dropStray(rotation, staged);
    throw refusals.waiting();
  }
  if (staged.next) say(words.staged);
  return staged;
}

/** A process that was slow staged its key after another one had ended the rotation. Nobody serves that key. */
async function dropStray<V extends Versions>(
  rotation: Rotation<V>,
  progress: Progress<V>,
): Promise<Progress<V>> {
  const { next } = progress;
  if (progress.state !== 'rotated' || !next) return progress;
  await giveUp(next, progress, rotation);
  await rotation.store.unstage(progress.versions);
  return await rotation.store.look();
}

/** Another process may have ended the rotation meanwhile. */
function nextOf({ next }: Progress, { plan, refusals }: Rotation): StoredKey {
  if (!next) throw refusals.ended();
  const { type } = next.key.publicKey;
  const wanted = plan.type && { ed25519: 'ssh-ed25519', ecdsa: 'ecdsa-', rsa: 'ssh-rsa' }[plan.type];
  if (wanted !== undefined && !type.startsWith(wanted)) throw refusals.otherType(type);
  return next;
}

function outcomeOf(state: Outcome['state'], { versions, latest }: Progress): Outcome {
  return { state, arn: versions.arn, latest };
}

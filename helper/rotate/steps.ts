/**
 * The steps of a rotation. Law: the bare name always reads a key that the host accepts.
 *
 * Each step can be repeated, and what was done is read from AWS (progress.ts). So the same command goes on wherever an
 * earlier one stopped.
 */
import type { KeyVersionStore } from '../../src/host/key-versions.ts';
import type { DeployKey, DeployKeys } from '../../src/keys/deploy-key.ts';
import { writeOpensshKey } from '../../src/keys/openssh-key.ts';
import type { PrivateKey } from '../../src/keys/private-key.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import { shownName } from '../../src/keys/storage-name.ts';
import type { Plan } from './plan.ts';
import { isSame, progressOf, type Progress, type StoredKey } from './progress.ts';
import { refusals, titleFor } from './texts.ts';

export interface Rotation {
  readonly plan: Plan;
  readonly store: KeyVersionStore;
  /** Absent: people register and remove keys by hand. */
  readonly host?: DeployKeys | undefined;
  /** Makes a key like the old one, or of `--type`. */
  readonly makeKey: (old: PrivateKey) => Promise<PrivateKey>;
  /** @param which `the new key`: for the message if the host refuses it */
  readonly prove: (key: StoredKey, which: string) => Promise<void>;
  readonly say: (line: string) => void;
  /** `2026-11-29` */
  readonly today: string;
}

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
}

/** Turns the key over, as far as possible. @throws the errors of AWS, of the host, and of a key that is not accepted */
export async function rotate(rotation: Rotation): Promise<Outcome> {
  const { plan, host } = rotation;
  const text = plan.reference.text;
  let progress = await look(rotation);
  if (progress.state === 'rotated') throw refusals.waiting(text);
  if (progress.state === 'none') progress = await stageNewKey(rotation, progress);
  if (progress.state === 'changed') throw refusals.changed(text, 'abort');
  const next = nextOf(progress, rotation);
  if (progress.state !== 'served') {
    if (host) await register(host, progress, rotation);
    else if (!plan.registered) return { ...outcomeOf('staged', progress), next };
    await rotation.prove(next, 'the new key');
    rotation.say(`the host accepts the new key ${next.key.publicKey.type}`);
    // Proving takes a while: meanwhile somebody may have stored another key.
    progress = await look(rotation);
  }
  return await serve(rotation, progress);
}

/** From here on the host accepts both keys. The old one is labelled before it is replaced, so that it is found later. */
async function serve(rotation: Rotation, proven: Progress): Promise<Outcome> {
  const { plan, store, say } = rotation;
  const text = plan.reference.text;
  let progress = proven;
  if (progress.state === 'staged') {
    await store.label('previous', progress.latest.version, progress.versions);
    progress = await look(rotation);
  }
  const next = nextOf(progress, rotation);
  let { version } = progress.latest;
  if (progress.state === 'kept') {
    version = await store.serveNext(progress.versions);
    say(`${text} is the new key now, as version ${version}`);
  } else if (progress.state !== 'served') throw refusals.changed(text, 'abort');
  await store.label('current', version, progress.versions);
  await store.unstage(progress.versions);
  const { previous, versions } = progress;
  const outcome: Outcome = { state: 'rotated', arn: versions.arn, latest: { ...next, version } };
  return previous ? { ...outcome, other: previous } : outcome;
}

/** Removes the old public key from the host. @throws as rotate */
export async function finish(rotation: Rotation): Promise<Outcome> {
  const { plan, store, host, prove, say } = rotation;
  const progress = await look(rotation);
  const { latest, previous, state } = progress;
  if (state === 'none') return outcomeOf('unchanged', progress);
  if (state === 'changed') throw refusals.changed(plan.reference.text, 'abort');
  if (state !== 'rotated' || !previous) throw refusals.unfinished(plan.reference.text);
  await prove(latest, 'the new key');
  if (isSame(previous, latest)) {
    say(`${plan.reference.text} is the old key again: nothing is removed`);
  } else if (host) await removeFrom(host, previous, say);
  await store.unlabel('previous', progress.versions);
  return { ...outcomeOf('finished', progress), ...(!isSame(previous, latest) && { other: previous }) };
}

/** Goes back to the old key, and removes the new public key from the host. @throws as rotate */
export async function abort(rotation: Rotation): Promise<Outcome> {
  const { store, host, say } = rotation;
  let progress = await look(rotation);
  if (progress.state === 'none') return outcomeOf('unchanged', progress);
  if (progress.state === 'rotated' || progress.state === 'served') {
    progress = await serveOldKey(rotation, progress);
  }
  const { latest, previous, next, versions } = progress;
  const other = next && !isSame(next, latest) ? next : undefined;
  if (host && other) await removeFrom(host, other, say);
  // The label is on the version that is given up.
  if (previous && versions.current !== undefined) await store.label('current', latest.version, versions);
  if (previous) await store.unlabel('previous', versions);
  await store.unstage(versions);
  return { ...outcomeOf('aborted', progress), ...(other && { other }) };
}

/**
 * The new key is staged first, also if its rotation was complete: so the next run still knows which public key to remove.
 */
async function serveOldKey(rotation: Rotation, progress: Progress): Promise<Progress> {
  const { plan, store, prove, say } = rotation;
  const { previous, latest, versions, state } = progress;
  const { text } = plan.reference;
  const isOthers = state === 'rotated' && versions.current !== latest.version;
  if (!previous || isOthers || isSame(previous, latest)) throw refusals.changed(text, 'finish');
  // Its public key may be gone already: --finish may have been stopped after it had removed it.
  await prove(previous, 'the old key');
  if (state === 'rotated') await store.stageLatest(versions);
  const version = await store.servePrevious(versions);
  say(`${text} is the old key again, as version ${version}`);
  return await look(rotation);
}

async function look({ store, plan }: Rotation): Promise<Progress> {
  return progressOf(await store.read(), plan.reference, store.staging);
}

async function stageNewKey(rotation: Rotation, progress: Progress): Promise<Progress> {
  const { plan, store, makeKey, say } = rotation;
  if (plan.registered) throw refusals.notStaged(plan.reference.text);
  const next = await store.stage(writeOpensshKey(await makeKey(progress.latest.key)));
  say(`the new key is stored in ${store.staging}, where nobody reads it yet`);
  return progressOf({ ...progress.versions, next }, plan.reference, store.staging);
}

/** Another process may have ended the rotation meanwhile. */
function nextOf({ next }: Progress, { plan }: Rotation): StoredKey {
  if (!next) throw refusals.ended(plan.reference.text);
  const { type } = next.key.publicKey;
  const wanted = plan.type && { ed25519: 'ssh-ed25519', ecdsa: 'ecdsa-', rsa: 'ssh-rsa' }[plan.type];
  if (wanted !== undefined && !type.startsWith(wanted)) throw refusals.otherType(plan.reference.text, type);
  return next;
}

/** The new key gets what the old one has. Keys are compared by their bytes: titles are anybody's. */
async function register(
  host: DeployKeys,
  { latest, next }: Progress,
  { plan, say, today }: Rotation,
): Promise<void> {
  if (!next) throw new TypeError('no key is staged');
  const keys = await host.list();
  if (find(keys, next)) return;
  const old = find(keys, latest);
  if (!old) throw refusals.unknownKey(plan.reference.text, host.place);
  const title = titleFor(old.title, shownName(plan.reference), today);
  const publicKey = authorizedKeysLine({ ...next.key.publicKey, comment: '' });
  await host.add({ title, publicKey, readOnly: old.readOnly });
  say(
    `registered the new public key in ${host.place} as "${title}", ${old.readOnly ? 'read-only' : 'with write access'}`,
  );
}

async function removeFrom(host: DeployKeys, key: StoredKey, say: Rotation['say']): Promise<void> {
  const found = find(await host.list(), key);
  if (!found) {
    say(`${host.place} no longer has the public key`);
    return;
  }
  await host.remove(found);
  say(`removed "${found.title}" from ${host.place}`);
}

function find(keys: readonly DeployKey[], { key }: StoredKey): DeployKey | undefined {
  return keys.find(({ blob }) => blob.equals(key.publicKey.blob));
}

function outcomeOf(state: Outcome['state'], { versions, latest }: Progress): Outcome {
  return { state, arn: versions.arn, latest };
}

/**
 * The keys of a rotation in KMS. What was done is read from three aliases: the key's own, NAME/next and NAME/previous.
 * Importing this file loads the AWS SDK.
 */
import { Failure } from '../errors.ts';
import type { KmsReference } from '../keys/key-reference.ts';
import { nextAlias, pendingDays, previousAlias } from '../keys/rotation-aliases.ts';
import type { SshKeySpec } from './key-material.ts';
import { RotationCalls, type Named, type NamedKey, type RotationOptions } from './rotation-calls.ts';
import { isMadeFor, isRefused, makeSimilar, makingPatience, modelOf } from './similar-key.ts';
import { findUnnamed } from './unnamed-key.ts';

export type { Named, NamedKey, RotationOptions } from './rotation-calls.ts';

/** What KMS has at one moment. */
export interface KmsVersions {
  /** What everybody signs with who names the alias. */
  readonly latest: NamedKey;
  /** The key behind NAME/next. The latest key itself: the new one is being made; after the end: the latest key is the new one. */
  readonly next: Named;
  readonly previous: Named;
}

/** What became of a key that is given up. `unknown`: it may be of somebody else, and stays. */
export type Retired =
  { readonly kind: 'scheduled' | 'unknown' } | { readonly kind: 'kept'; readonly alias: string };

/** Milliseconds until a change is seen by all of KMS, and between two looks. @source KMS Developer Guide, "AWS KMS eventual consistency" */
const [patience, pause] = [20_000, 500];
/** Milliseconds for another process to make its key. */
const turn = (makingPatience + 5) * 1000;

export class KmsKeyRotation {
  readonly #calls: RotationCalls;
  readonly #name: string;
  readonly next: string;
  readonly previous: string;

  /** @param reference an alias, not an ARN */
  constructor(reference: KmsReference, options: RotationOptions) {
    this.#calls = new RotationCalls(reference, options);
    this.#name = reference.name;
    this.next = nextAlias(reference.name);
    this.previous = previousAlias(reference.name);
  }

  /** @throws INPUT_INVALID if NAME/next is the key of somebody else, who may have an alias of such a name */
  async look(): Promise<KmsVersions> {
    const versions = await this.read();
    const { latest, next } = versions;
    if (next === undefined || next === 'gone' || next.arn === latest.arn) return versions;
    if (await isMadeFor(next.arn, this.#calls)) return versions;
    throw new Failure(
      'INPUT_INVALID',
      `${this.next} is there already, and its KMS key ${next.arn} was not made by a rotation of ${this.#calls.reference.text}`,
      {
        hint: `if nobody uses that alias, remove it (aws kms delete-alias --region ${this.#calls.options.place.region} --alias-name ${this.next}), and run it again; else give your key another alias, and rotate that one`,
      },
    );
  }

  async read(): Promise<KmsVersions> {
    const names = [this.next, this.previous] as const;
    const latest = await this.#calls.find(this.#name);
    // Never so: only the two other aliases may be missing.
    if (!latest || latest === 'gone') throw this.#calls.foreign();
    const [next, previous] = await Promise.all(names.map((name) => this.#calls.find(name)));
    return { latest, next, previous };
  }

  /**
   * Makes a key, and gives it the alias NAME/next. Before that, the alias leads to the latest key: so another run sees
   * that a key is being made, and finds it by its tag if this run is killed.
   *
   * @param specFor the spec of the new key, from the old one's
   */
  async stage(found: KmsVersions, specFor: (old: string) => SshKeySpec): Promise<void> {
    const model = await modelOf(found.latest, this.#calls);
    const spec = specFor(model.spec);
    if (found.next === 'gone') await this.#calls.deleteAlias(this.next);
    const { arn } = found.latest;
    const begun = (await this.#calls.createAlias(this.next, arn))
      ? undefined
      : await this.#waitForOthers(arn);
    if (begun === 'over') return;
    const unnamed = begun && (await findUnnamed(begun, this.#calls));
    await this.#give(unnamed ?? (await this.#make(() => makeSimilar(model, spec, this.#calls))), arn);
  }

  /** Gives up the new key, or what was begun of it. */
  async unstage({ latest, next }: KmsVersions): Promise<Retired | undefined> {
    if (next === undefined) return undefined;
    let unused = next;
    if (next !== 'gone' && next.arn === latest.arn) {
      const begun = await this.#waitForOthers(latest.arn);
      const arn = begun === 'over' ? undefined : await findUnnamed(begun, this.#calls);
      if (arn !== undefined) await this.#give(arn, latest.arn);
      unused = (await this.#calls.find(this.next)) ?? 'gone';
    }
    const isOther = unused !== 'gone' && unused.arn !== latest.arn;
    const retired = isOther ? await this.retire(unused as NamedKey) : undefined;
    await this.#calls.deleteAlias(this.next);
    await this.#until(({ next: now }) => now === undefined);
    return retired;
  }

  /** @returns whether the alias led to no other key */
  async keepOld({ latest }: KmsVersions): Promise<boolean> {
    const isNew = await this.#calls.createAlias(this.previous, latest.arn);
    const { previous } = await this.#until(({ previous: now }) => now !== undefined);
    return isNew || (previous !== undefined && previous !== 'gone' && previous.arn === latest.arn);
  }

  /** @throws KEY_NOT_FOUND if the alias is gone */
  async serve({ arn }: NamedKey): Promise<void> {
    if (!(await this.#calls.moveAlias(this.#name, arn))) await this.#calls.find(this.#name);
    await this.#until(({ latest }) => latest.arn === arn);
  }

  /** Ends the rotation, unless the old key is the latest one: then only the alias for it ends. */
  async forgetOld({ latest, next, previous }: KmsVersions): Promise<Retired | undefined> {
    const isOther = previous !== undefined && previous !== 'gone' && previous.arn !== latest.arn;
    const retired = isOther ? await this.#retireOld(previous, latest) : undefined;
    if (next === 'gone' || next?.arn === latest.arn) await this.#calls.deleteAlias(this.next);
    // The last one: until then, --finish finds what is left to do.
    await this.#calls.deleteAlias(this.previous);
    await this.#until(({ previous: now }) => now === undefined);
    return retired;
  }

  /** If no rotation has made the latest key, the other one may be of somebody else. */
  async #retireOld(old: NamedKey, latest: NamedKey): Promise<Retired> {
    return (await isMadeFor(latest.arn, this.#calls)) ? await this.retire(old) : { kind: 'unknown' };
  }

  /** A key that has another alias is in use elsewhere, and stays. */
  async retire({ arn }: NamedKey): Promise<Retired> {
    const own = [this.#name, this.next, this.previous];
    const aliases = await this.#calls.aliasesOf(arn);
    const other = aliases.find(({ AliasName = '' }) => !own.includes(AliasName));
    if (other) return { kind: 'kept', alias: other.AliasName ?? '' };
    await this.#calls.scheduleDeletion(arn);
    return { kind: 'scheduled' };
  }

  /** @returns when the rotation began, if nobody has made its key in time; `over`: it is made, or was given up */
  async #waitForOthers(arn: string): Promise<Date | 'over'> {
    const { sleep, warn } = this.#calls.options;
    const entry = (await this.#calls.aliasesOf(arn)).find(({ AliasName }) => AliasName === this.next);
    const begun = entry?.CreationDate;
    if (!begun) return 'over';
    const until = Math.min(begun.getTime(), Date.now()) + turn;
    if (Date.now() < until)
      warn(`another run may be making the new key of ${this.#calls.reference.text}: waiting for it`);
    while (Date.now() < until) {
      await sleep(pause);
      if (!isMaking(await this.read(), arn)) return 'over';
    }
    return begun;
  }

  /** If KMS says that it makes no key, nothing is begun. */
  async #make(make: () => Promise<string>): Promise<string> {
    try {
      return await make();
    } catch (error) {
      if (isRefused(error)) await this.#calls.deleteAlias(this.next).catch(() => undefined);
      throw error;
    }
  }

  /** Another process may have staged its key first, or have ended the rotation. It may have found the same key. */
  async #give(arn: string, old: string): Promise<void> {
    const found = await this.read();
    if (isMaking(found, old) && (await this.#calls.moveAlias(this.next, arn))) {
      await this.#until(({ next }) => next !== undefined && next !== 'gone' && next.arn !== old);
      return;
    }
    // KMS shows an alias to some calls earlier than to others.
    if (hasKey(found, arn) || (await this.#calls.aliasesOf(arn)).length > 0) return;
    await this.#calls.scheduleDeletion(arn).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.code !== 'KEY_ACCESS_DENIED') throw error;
      this.#calls.options.warn(
        `the KMS key ${arn} was made for nothing: delete it by aws kms schedule-key-deletion --region ${this.#calls.options.place.region} --pending-window-in-days ${pendingDays} --key-id ${arn}`,
      );
    });
  }

  /** Reads until a change is seen, because the next step is judged by what is read. */
  async #until(isSeen: (versions: KmsVersions) => boolean): Promise<KmsVersions> {
    const until = Date.now() + patience;
    for (;;) {
      const versions = await this.read();
      if (isSeen(versions) || Date.now() > until) return versions;
      await this.#calls.options.sleep(pause);
    }
  }
}

/** Whether the new key of a rotation is being made. @param old the ARN of the key before it */
function isMaking({ latest, next }: KmsVersions, old: string): boolean {
  return latest.arn === old && next !== undefined && next !== 'gone' && next.arn === old;
}

function hasKey({ latest, next, previous }: KmsVersions, arn: string): boolean {
  return [latest, next, previous].some((key) => key !== undefined && key !== 'gone' && key.arn === arn);
}

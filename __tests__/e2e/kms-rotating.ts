/** For tests of rotate: a key in KMS with the alias `deploy`, which is a deploy key of acme/lib on GitHub. */
import { expect } from '@jest/globals';
import { kmsKeyStatements } from '../../src/aws/kms-policy.ts';
import type { Purpose } from '../../src/aws/key-policy.ts';
import { documentOf } from '../../src/aws/statement.ts';
import { parseKeyReference, type KmsReference } from '../../src/keys/key-reference.ts';
import { parsePolicy } from '../support/aws/iam/policy-document.ts';
import type { SigningKey } from '../support/aws/kms/signing-keys.ts';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import { ACCOUNT, REGION } from '../support/aws/world.ts';
import { publicKeyOf } from '../support/kms-keys.ts';
import type { RotateStage } from './rotate-stage.ts';
import { Rotating, type Walk } from './rotate-walks.ts';

export const kmsName = 'kms:alias/deploy';
export const place = { account: ACCOUNT, region: REGION };
const aliases = { served: 'alias/deploy', next: 'alias/deploy/next', previous: 'alias/deploy/previous' };

/** What `ssm-ssh-agent policy kms:alias/deploy` prints. */
export function kmsPolicy(purpose: Purpose): PolicyDocument {
  const reference = parseKeyReference(kmsName) as KmsReference;
  const home = { partition: 'aws', region: REGION, account: ACCOUNT };
  const document = documentOf(kmsKeyStatements([reference], purpose, home));
  return parsePolicy(JSON.stringify(document), 'permission');
}

export class KmsRotating extends Rotating {
  readonly old: SigningKey;

  constructor(stage: RotateStage, spec = 'ECC_NIST_P256') {
    super(stage, 'parameter');
    const { signingKeys } = stage.host.world.aws;
    const made = { description: 'deploys acme/lib', tags: { team: 'ci' }, alias: aliases.served };
    this.old = signingKeys.get(signingKeys.create({ ...place, spec, ...made }));
    this.register(this.old);
  }

  override get args(): string[] {
    return [kmsName, ...this.stage.options];
  }
  get signingKeys() {
    return this.stage.host.world.aws.signingKeys;
  }
  register(key: SigningKey): void {
    const publicKey = lineOf(key);
    this.stage.keys.add({ repository: 'acme/lib', title: 'CI 2025-01-31', key: publicKey, readOnly: true });
  }
  keyOf(name: keyof typeof aliases): SigningKey | undefined {
    const arn = `arn:aws:kms:${REGION}:${ACCOUNT}:${aliases[name]}`;
    const found = this.signingKeys.aliases().find(({ alias }) => alias === arn);
    return found && this.signingKeys.get(found.key);
  }
  override get served(): string | undefined {
    return this.#line('served');
  }
  #line(name: keyof typeof aliases): string | undefined {
    const key = this.keyOf(name);
    return key && lineOf(key);
  }
  get oldLine(): string {
    return lineOf(this.old);
  }
  /** The KMS keys that cost money. */
  get paid(): string[] {
    return this.signingKeys
      .all(place)
      .flatMap((key) => (key.state === 'PendingDeletion' ? [] : [lineOf(key)]));
  }
  /** But for the key in Parameter Store. */
  get registered(): string[] {
    return this.stage.registered.filter((key) => key !== this.stage.oldPublicKey);
  }
  override get state(): object {
    const [next, previous] = [this.#line('next'), this.#line('previous')];
    return { served: this.served, registered: this.registered, next, previous, paid: this.paid };
  }
  /** As after a rotation. */
  override beRotated(): void {
    const tags = { 'ssm-ssh-agent:rotation': aliases.served };
    const made = this.signingKeys.create({ ...place, spec: this.old.spec, tags });
    this.register(this.signingKeys.get(made));
    this.signingKeys.setAlias(place, aliases.previous, this.old.arn);
    for (const alias of [aliases.served, aliases.next]) this.signingKeys.setAlias(place, alias, made);
  }
}

/** `TYPE BASE64` */
export function lineOf(key: SigningKey): string {
  return publicKeyOf(key).split(' ').slice(0, 2).join(' ');
}

function isKms(rotating: Rotating): KmsRotating {
  if (rotating instanceof KmsRotating) return rotating;
  throw new TypeError('not a key in KMS');
}

export const kmsWalks = {
  forward: {
    ...{ prepare: () => undefined, args: [] },
    check: (rotating) => {
      const { state, served = '', oldLine } = isKms(rotating);
      expect(served).not.toBe(oldLine);
      const both = [oldLine, served];
      expect(state).toEqual({ served, registered: both, next: served, previous: oldLine, paid: both });
    },
  },
  finish: {
    prepare: (rotating) => {
      rotating.beRotated();
    },
    args: ['--finish'],
    check: (rotating) => {
      const { state, served = '', oldLine } = isKms(rotating);
      expect(served).not.toBe(oldLine);
      expect(state).toEqual({ served, registered: [served], paid: [served] });
    },
  },
  abort: {
    prepare: (rotating) => {
      rotating.beRotated();
    },
    args: ['--abort'],
    check: (rotating) => {
      const { state, oldLine } = isKms(rotating);
      expect(state).toEqual({ served: oldLine, registered: [oldLine], paid: [oldLine] });
    },
  },
} as const satisfies Record<string, Walk>;

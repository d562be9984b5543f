/** The options of `policy`, checked → what is asked of AWS, and what is printed. */
import { hostStatements, type PolicyHost } from '../../src/aws/host-policy.ts';
import { checkKmsPurpose, kmsKeyStatements } from '../../src/aws/kms-policy.ts';
import { keyStatements, type Purpose, type Stored } from '../../src/aws/key-policy.ts';
import { documentOf } from '../../src/aws/statement.ts';
import { trustStatement } from '../../src/aws/trust-policy.ts';
import type { KmsReference } from '../../src/keys/key-reference.ts';
import type { Location, Reference } from '../../src/keys/reference.ts';
import { invalid } from '../command-line/parse.ts';
import { parseWay } from '../proxy/way.ts';
import type { Printed } from './formats.ts';
import { parsePolicyHost } from './hosts.ts';
import type { Format } from './options.ts';
import { parseTrust, type TrustOptions } from './trust.ts';

export interface PolicyLine extends TrustOptions {
  readonly references: readonly Reference[];
  readonly signing: readonly KmsReference[];
  readonly host: readonly string[];
  readonly user: string | undefined;
  readonly via: string | undefined;
  readonly for: string | undefined;
  readonly 'kms-key-id': string | undefined;
  readonly 'account-id': string | undefined;
  readonly format: Format;
  readonly json: boolean;
}

export interface Wish {
  readonly references: readonly Reference[];
  readonly signing: readonly KmsReference[];
  readonly namesAccount: boolean;
  readonly namesRegion: boolean;
  readonly account: string | undefined;
  readonly kmsKeyId: string | undefined;
  /** For people. */
  readonly notes: readonly string[];
  readonly render: (found: { readonly home: Location; readonly stored: readonly Stored[] }) => Printed;
}

/** @throws INPUT_INVALID */
export function parsePolicyLine(line: PolicyLine): Wish {
  const { references, signing, user, 'account-id': account } = line;
  const via = parseWay(line.via, '--via');
  const hosts = line.host.map((text) => parsePolicyHost(text, user, via));
  const { repositories, contexts } = parseTrust(line);
  const purpose = (line.for ?? 'read') as Purpose;
  if (account !== undefined && !/^\d{12}$/.test(account))
    throw invalid(`--account-id is not an account: "${account}"`, 'write the 12 digits of one');
  checkKmsPurpose(signing, purpose);
  const isPermitting = references.length + signing.length + hosts.length > 0;
  const isTrusting = repositories.length > 0;
  checkParts(line, { isPermitting, isTrusting, hosts });
  return {
    ...{ references, signing },
    namesAccount: hosts.length > 0 || isTrusting,
    namesRegion: hosts.length > 0,
    ...{ account, kmsKeyId: line['kms-key-id'] },
    notes: notesOf(hosts),
    render: ({ home, stored }) => ({
      permissions: isPermitting
        ? documentOf([
            ...keyStatements(stored, purpose, home),
            ...kmsKeyStatements(signing, purpose, home),
            ...hostStatements({ hosts, via, home }),
          ])
        : undefined,
      trust: isTrusting ? documentOf([trustStatement({ repositories, contexts, ...home })]) : undefined,
    }),
  };
}

interface Parts {
  readonly isPermitting: boolean;
  readonly isTrusting: boolean;
  readonly hosts: readonly PolicyHost[];
}

function checkParts(line: PolicyLine, { isPermitting, isTrusting, hosts }: Parts): void {
  if (line.json && line.format !== 'json')
    throw invalid(`--json and --format ${line.format} do not go together`, 'leave one of them out');
  if (!isPermitting && !isTrusting)
    throw invalid('policy has nothing to allow', 'write a key: policy /ci/deploy-key; or --host, or --trust');
  if (isPermitting && isTrusting && line.format === 'json') {
    throw invalid(
      'a permission policy and a trust policy are two documents of JSON',
      'run policy once without --trust and once with --trust only, or pass --format cloudformation or terraform',
    );
  }
  const needsHost = line.user !== undefined ? '--user' : line.via !== undefined ? '--via' : undefined;
  if (hosts.length === 0 && needsHost !== undefined)
    throw invalid(`${needsHost} belongs to --host`, 'pass --host i-…, too, or leave it out');
  if (line.references.length + line.signing.length === 0 && line.for !== undefined)
    throw invalid('--for belongs to a key', 'write its name: policy /ci/deploy-key');
  if (line.references.length === 0 && line['kms-key-id'] !== undefined)
    throw invalid(
      '--kms-key-id belongs to a key that is stored',
      line.signing.length === 0 ? 'write its name: policy /ci/deploy-key' : 'leave it out',
    );
}

function notesOf(hosts: readonly PolicyHost[]): string[] {
  const silent = hosts.filter(({ target, user }) => target.kind !== 'managed' && user === undefined);
  const names = silent.map(({ target }) =>
    target.kind === 'tag' ? `${target.key}=${target.value}` : target.id,
  );
  if (names.length === 0) return [];
  return [
    `no key may be pushed to ${names.join(', ')}: pass --user NAME, unless ssm.HOST.key names a key that the host knows`,
  ];
}

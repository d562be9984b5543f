/** keygen and put for `kms:alias/NAME`: a KMS key that is made there, or gets the material of a private key. */
import { Failure } from '../../src/errors.ts';
import { specOf } from '../../src/kms/key-material.ts';
import { checkKey } from '../../src/keys/checked-key.ts';
import { parseKeyKind } from '../../src/keys/generate-key.ts';
import { parseKeyReference, type KmsReference } from '../../src/keys/key-reference.ts';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { authorizedKeysLine, fingerprint, type PublicKey } from '../../src/keys/public-key.ts';
import { otherKindOf } from '../../src/keys/reference.ts';
import { visible } from '../../src/keys/visible-text.ts';
import type { MadeKmsKey, NewKmsKey } from '../../src/kms/make-key.ts';
import { inHost, voiceOf } from '../command-line/keys.ts';
import type { Running } from '../command-line/command.ts';
import { invalid, type Common, type Values } from '../command-line/parse.ts';
import { parseAccount } from '../command-line/account.ts';
import { readKeyText } from './key-text.ts';
import { specFor } from './kms-spec.ts';
import type { keygenOptions, storeOptions } from './options.ts';
import { parseTags } from './store-key.ts';
import { whereToPaste } from './where-to-paste.ts';

type StoreValues = Values<typeof storeOptions> & Common;
type KeygenValues = Values<typeof keygenOptions> & Common;

export function isKmsName(name: string): boolean {
  return otherKindOf(name) === 'kms';
}

/** @param values `named` is the comment of the public key */
export async function makeKmsKey(
  name: string,
  values: KeygenValues & { readonly named: string },
  running: Running,
): Promise<number> {
  const wanted = { ...parseWanted(name, values), spec: specFor(parseKeyKind(values.type, values.bits)) };
  const made = await make(wanted, values, running);
  const publicKey = { ...made.publicKey, comment: values.named };
  report(wanted.reference, { ...made, publicKey }, { ...running, ...values });
  if (!values.quiet)
    running.err(whereToPaste(authorizedKeysLine(publicKey), wanted.reference.name.replace('alias/', '')));
  return 0;
}

/** The host keeps its registered public key. */
export async function putKmsKey(
  { name, file }: { readonly name: string; readonly file: string },
  values: StoreValues,
  running: Running,
): Promise<number> {
  const wanted = parseWanted(name, values);
  const text = await readKeyText(file, running);
  const resource = file === '-' ? 'standard input' : file;
  const checked = checkKey(text, resource);
  if (checked.encrypted) {
    throw new Failure(
      'KEY_ENCRYPTED',
      `the private key in ${resource} has a passphrase, and KMS takes none`,
      {
        hint: 'remove it from a copy of the file: ssh-keygen -p -N "" -f COPY, put the copy, and delete it',
      },
    );
  }
  const material = parsePrivateKey(text, resource);
  const made = await make({ ...wanted, spec: specOf(material, resource), material }, values, running);
  const comment = checked.publicKey?.comment || wanted.reference.text;
  report(wanted.reference, { ...made, publicKey: { ...made.publicKey, comment } }, { ...running, ...values });
  return 0;
}

/** @source KMS API Reference, CreateKey, `Description` */
const longestDescription = 8192;

function parseWanted(
  name: string,
  values: StoreValues,
): Omit<NewKmsKey, 'spec'> & { readonly reference: KmsReference } {
  const reference = parseKeyReference(name) as KmsReference;
  if (!reference.name.startsWith('alias/')) {
    throw invalid(
      `"${name}" is not the name of a new KMS key`,
      'write kms:alias/NAME, and --region for another Region',
    );
  }
  const foreign = (['overwrite', 'secretsmanager', 'kms-key-id', 'tier'] as const).find(
    (option) => values[option] !== undefined && values[option] !== false,
  );
  if (foreign !== undefined) {
    const hint =
      foreign === 'overwrite'
        ? 'a KMS key has no versions: write another name, or ssm-ssh-agent rotate'
        : `leave out --${foreign}`;
    throw invalid(`--${foreign} is for keys that are stored, and ${name} is a key in KMS`, hint);
  }
  const { description } = values;
  if (description !== undefined && description.length > longestDescription) {
    throw invalid(
      `--description has ${description.length} characters, and AWS allows ${longestDescription}`,
      'write a shorter text',
    );
  }
  return { reference, tags: parseTags(values.tag), description };
}

async function make(wanted: NewKmsKey, values: StoreValues, running: Running): Promise<MadeKmsKey> {
  const account = parseAccount(values);
  return await inHost(account, running, async (host, env) => {
    // The first import of the AWS SDK: after the command line and the key were checked.
    const { makeHostKey } = await import('../../src/host/kms.ts');
    return await makeHostKey(wanted, host, { env, signal: running.signal, voice: voiceOf(values, running) });
  });
}

/** As of a stored key. A key in KMS has no version. */
function report(
  { text: reference }: KmsReference,
  { arn, publicKey }: { readonly arn: string; readonly publicKey: PublicKey },
  { json, quiet, ...running }: Running & Pick<Common, 'json' | 'quiet'>,
): void {
  const [line, print] = [authorizedKeysLine(publicKey), fingerprint(publicKey)];
  const { type } = publicKey;
  if (!quiet) running.err(`ssm-ssh-agent: made ${visible(`${reference} (${arn}): ${type} ${print}`)}\n`);
  const record = { reference, arn, version: null, type, fingerprint: print, publicKey: line };
  running.out(json ? `${JSON.stringify(record, null, 2)}\n` : `${line}\n`);
}

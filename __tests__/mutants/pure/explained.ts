/** Mutants that no test can kill, or that no test needs to kill, with the reason. */
import type { Mutant } from './instrumented.ts';

export interface Explained {
  readonly file: string;
  /** `was → becomes`. */
  readonly change: string;
  readonly because: string;
  matches(mutant: Mutant): boolean;
}

export const explain = (file: string, reasons: Readonly<Record<string, string>>): Explained[] =>
  Object.entries(reasons).map(([change, reason]) => ({
    ...{ file, change, because: reason },
    matches: (mutant) => mutant.file === file && `${mutant.was} → ${mutant.becomes}` === change,
  }));

export const explained: readonly Explained[] = [
  ...explain('src/keys/encrypted-key.ts', {
    'name === undefined → false':
      'a cipher that is not in the table has neither lengths, which are checked, too',
    'keyLength === undefined → false': 'a cipher that is not in the table has no name, which is checked, too',
    'ivLength === undefined → false': 'a cipher that is not in the table has no name, which is checked, too',
    '!section || !check → !section && !check': 'check is a part of section: both are undefined, or none',
    '!section || !check → false': 'without a section, again is undefined, and the last condition is true',
    'again?.equals → again.equals': 'without a section, the condition ends before this part',
    '{ return undefined; } → {}': 'a function without a return gives undefined',
  }),
  ...explain('src/keys/key-fields.ts', {
    'digits?.toString → digits.toString': 'the line before returns if any of the numbers is undefined',
    '\'\' → "Stryker was here!"': 'the line before returns if any of the numbers is undefined',
  }),
  ...explain('src/keys/key-object.ts', {
    '{ return undefined; // Incomplete, or not a point on the curve. } → {}':
      'a function without a return gives undefined',
  }),
  ...explain('src/keys/security-key.ts', {
    'softwareTypes[type]?.plain → softwareTypes[type].plain': 'hasOwn has found the type just before',
    '!key → false': 'without a key, key.type throws a TypeError, which is caught with the same result',
    '!found → false': 'undefined cannot be taken apart: the TypeError is caught with the same result',
    '{ return undefined; // Incomplete. } → {}': 'a function without a return gives undefined',
  }),
  ...explain('src/keys/signature-check.ts', {
    '!key || !algorithm → false':
      'without a key a TypeError is caught with the same result; without an algorithm undefined is returned anyway',
    '!key || !algorithm → !key && !algorithm':
      'without a key a TypeError is caught with the same result; without an algorithm undefined is returned anyway',
    '{ return undefined; // Incomplete, or numbers out of range. } → {}':
      'a function without a return gives undefined',
    'key.asymmetricKeyDetails?.modulusLength → key.asymmetricKeyDetails.modulusLength':
      'only an RSA key comes here, and Node knows its details',
    'curves.find(({ ssh }) => `ecdsa-sha2-${ssh}` === type)?.size → curves.find(({ ssh }) => `ecdsa-sha2-${ssh}` === type).size':
      'only a type with an algorithm comes here, and each has its curve',
    '\'a negative number\' → ""': 'the error is caught, and nobody sees its text',
    '\'a number that is too long\' → ""': 'the error is caught, and nobody sees its text',
    '\'more than two numbers\' → ""': 'the error is caught, and nobody sees its text',
    'digits.length > size → false': 'Buffer.alloc throws a RangeError for a negative size, which is caught',
  }),
  ...explain('src/git/config-text.ts', {
    '/^[ \\t\\r]$/ → /^[ \\t\\r]/': 'a piece that begins with a space is this one character',
    '/^([^.]*)\\.(?:(.*)\\.)?[^.]*$/s → /([^.]*)\\.(?:(.*)\\.)?[^.]*$/s':
      'the first match begins at the start: anything but dots, and then a dot',
    '/^([^.]*)\\.(?:(.*)\\.)?[^.]*$/s → /^([^.]*)\\.(?:(.*)\\.)?[^.]*/s':
      'the group takes all up to the last dot, and the rest has none: the match ends at the end',
  }),
  ...explain('src/git/credential.ts', {
    '/^([^=]+)=(.*)$/s → /^([^=]+)=(.*)/s': '.* with s takes all characters to the end',
    '/\\[\\]$/ → /\\[\\]/':
      'only a name that ends in [] counts as a list, and a name with [] elsewhere is not known',
    '{ return undefined; } → {}': 'a function that ends without return returns undefined',
    'expiry !== undefined → true': 'the pattern does not match the text undefined',
  }),
  ...explain('src/git/listing.ts', {
    '/^([^.]*)(.*)\\.([^.]*)$/s → /([^.]*)(.*)\\.([^.]*)$/s':
      'the first match begins at the start: the first two groups take any text',
    '/^([^.]*)(.*)\\.([^.]*)$/s → /^([^.]*)(.*)\\.([^.]*)/s':
      'the second group takes all up to the last dot, and the rest has none: the match ends at the end',
  }),
  ...explain('src/git/store-entry.ts', {
    '/[A-Z]+/g → /[A-Z]/g': 'each letter alone becomes the same lower case',
    "typeof parsed === 'object' && parsed !== null → true":
      'other values of JSON have no members with the names of attributes',
    "typeof parsed === 'object' && parsed !== null → typeof parsed === 'object' || parsed !== null":
      'other values of JSON have no members with the names of attributes',
    "typeof parsed === 'object' → true": 'other values of JSON have no members with the names of attributes',
    'parsed !== null → true': 'parseEntry reads null as it reads undefined',
    '{ // The message of JSON.parse repeats the text. return undefined; } → {}':
      'a function that ends without return returns undefined',
  }),
  ...explain('src/ssh/agent-protocol.ts', {
    'body.fill(0); → ;': 'it overwrites a copy of the key in memory, which only the function can see',
    'this.#size < this.#wanted → false': 'it only saves time: the loop ends at once for the same reason',
    'this.#chunks.length === 1 → false': 'it only saves a copy of the same bytes',
    'bytes.length > 0 → true': 'an empty piece adds no bytes to the next ones',
    'bytes.length > 0 → bytes.length >= 0': 'an empty piece adds no bytes to the next ones',
  }),
  ...explain('src/ssh/agent-requests.ts', {
    '!(error instanceof RangeError) → false': 'a reader of bytes throws no other error',
  }),
  ...explain('src/ssh/host-key-refusal.ts', {
    '[] → ["Stryker was here"]': 'the first element, the whole match, is not used',
    'file === undefined → false': 'file and line are groups of one match: there are both, or none',
    'line === undefined → false': 'file and line are groups of one match: there are both, or none',
  }),
  ...explain('src/ssh/host-keys.ts', {
    '[-1, 0] → []': 'undefined is not at least 0 either, and taken is set together with star',
  }),
  ...explain('src/ssh/known-hosts.ts', {
    'fields[0]?.startsWith → fields[0].startsWith': 'split gives one text at least',
    '{ return undefined; // Incomplete. } → {}': 'a function that ends without return returns undefined',
  }),
  ...explain('src/ssh/repository-hosts.ts', {
    'fields[0]?.startsWith → fields[0].startsWith': 'split gives one text at least',
  }),
  ...explain('src/host/compile.ts', {
    '{ return false; } → {}': 'every() takes undefined for false',
  }),
  ...explain('src/host/explain.ts', {
    'first?.repository → first.repository': 'it is called with one key at least',
    'first?.source → first.source': 'it is called with one key at least',
    'first?.use → first.use': 'the filter asks only if there is a first element',
    '/^ssm\\./ → /ssm\\./': 'each name of a setting here begins with ssm., which is the first match',
  }),
  ...explain('src/host/foreign-command.ts', {
    '/^(ssh|git\\+ssh|ssh\\+git):\\/\\/(?:([^/@]*)@)?([^/]*)(.*)$/s → /^(ssh|git\\+ssh|ssh\\+git):\\/\\/(?:([^/@]*)@)?([^/]*)(.*)/s':
      '.* with s takes all characters to the end',
    '/^(?:([^/:@]*)@)?(?:\\[([^\\]/]+)\\]|([^/:[\\]]+)):(.*)$/s → /^(?:([^/:@]*)@)?(?:\\[([^\\]/]+)\\]|([^/:[\\]]+)):(.*)/s':
      '.* with s takes all characters to the end',
    '{ return undefined; } → {}': 'a function that ends without return returns undefined',
  }),
  ...explain('src/host/job-role.ts', {
    '{ return undefined; } → {}': 'a function that ends without return returns undefined',
  }),
  ...explain('src/host/settings.ts', {
    '/[\\s,]+/ → /[\\s,]/': 'empty texts between two separators are removed afterwards',
  }),
];

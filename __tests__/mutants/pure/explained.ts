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
];

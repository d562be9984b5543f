/** How much work a key encrypted as PKCS#8 asks for before a passphrase opens it: OpenSSL has no limit of its own. Pure. */

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

const tags = { integer: 0x02, identifier: 0x06, sequence: 0x30 } as const;
/** Object identifiers, as DER has them in hexadecimal. */
const pbes2 = '2a864886f70d01050d';
const scrypt = '2b06010401da47040b';

/**
 * @param der an EncryptedPrivateKeyInfo
 * @returns iterations of PBKDF2 or of an older scheme; of scrypt the product of its cost, block size and parallelization
 * @throws RangeError if it is none, or is not DER
 * @source RFC 5958 §3, RFC 7914 §7, RFC 8018 appendix A
 */
export function derivationWork(der: Buffer): bigint {
  const [algorithm] = elements(inside(elements(der)[0], tags.sequence));
  return workOf(inside(algorithm, tags.sequence));
}

function workOf(algorithm: Buffer): bigint {
  const [identifier, parameters] = elements(algorithm);
  const name = inside(identifier, tags.identifier).toString('hex');
  const given = elements(inside(parameters, tags.sequence));
  // Its first parameter is the algorithm that derives the key.
  if (name === pbes2) return workOf(inside(given[0], tags.sequence));
  const numbers = given.flatMap(({ tag, content }) =>
    tag === tags.integer ? [BigInt(`0x0${content.toString('hex')}`)] : [],
  );
  if (name === scrypt) return numbers.slice(0, 3).reduce((product, number) => product * number, 1n);
  // The other numbers are lengths, which are smaller.
  return numbers.reduce((most, number) => (number > most ? number : most), 0n);
}

function inside(element: Element | undefined, tag: number): Buffer {
  if (element?.tag !== tag) throw new RangeError(`no element with the tag ${tag}`);
  return element.content;
}

/** @source X.690 §8.1, §10.1 */
function elements(bytes: Buffer): Element[] {
  const found: Element[] = [];
  let at = 0;
  const take = (length: number): Buffer => {
    if (length > bytes.length - at) throw new RangeError('the element is longer than the remaining bytes');
    return bytes.subarray(at, (at += length));
  };
  while (at < bytes.length) {
    const [tag = 0, first = 0] = take(2);
    const isLong = first >= 0x80;
    // No length at all, or one that no stored value has; a tag of several bytes.
    if (first === 0x80 || first > 0x84 || (tag & 0x1f) === 0x1f)
      throw new RangeError('the element is not DER');
    const length = isLong ? take(first - 0x80).reduce((sum, byte) => sum * 256 + byte, 0) : first;
    found.push({ tag, content: take(length) });
  }
  return found;
}

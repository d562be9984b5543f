import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { awsAuthorities } from '../../src/aws/authorities.ts';
import { createCertificates, type Certificates } from '../support/aws/wire/certificates.ts';

describe('AWS_CA_BUNDLE', () => {
  let certificates: Certificates;
  let folder: string;

  beforeAll(async () => {
    certificates = await createCertificates();
    folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  });
  afterAll(async () => {
    await certificates.remove();
    rmSync(folder, { recursive: true });
  });

  const file = (text: string): string => {
    const path = join(folder, 'bundle.pem');
    writeFileSync(path, text);
    return path;
  };

  it.each([undefined, ''])('of %j names no authorities', (value) => {
    expect(awsAuthorities({ AWS_CA_BUNDLE: value })).toBeUndefined();
  });

  it('may have several certificates, and text between them, as that of a distribution', () => {
    const text = `# The company's\n${certificates.ca}\n# The company's, until 2031\n${certificates.ca}`;
    expect(awsAuthorities({ AWS_CA_BUNDLE: file(text) })).toBeDefined();
  });

  it.each([
    ['that is not there', () => join(folder, 'none.pem'), 'cannot be read (ENOENT)'],
    ['that is a folder', () => folder, 'cannot be read (EISDIR)'],
    ['that is empty', () => file(''), 'has no certificate in PEM form'],
    ['with a private key alone', () => file(certificates.key), 'has no certificate in PEM form'],
    [
      'with half a certificate',
      () => file(certificates.ca.slice(0, 200)),
      'has a certificate that cannot be read',
    ],
  ])('with a file %s is refused, and says what to do', (_, path, problem) => {
    const bundle = path();
    const message = `${bundle}, which AWS_CA_BUNDLE names, ${problem}`;
    const hint = 'point AWS_CA_BUNDLE to a file of certificates in PEM form, or unset it';
    expect(() => awsAuthorities({ AWS_CA_BUNDLE: bundle })).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', message, hint }),
    );
  });
});

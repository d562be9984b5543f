/** The certificate authorities of AWS_CA_BUNDLE: as in the AWS CLI, AWS's services are trusted by them alone. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { Failure } from '../errors.ts';

/**
 * The SDK for JavaScript does not read the variable.
 *
 * @returns undefined if the variable is not set: then Node's authorities count, and those of NODE_EXTRA_CA_CERTS
 * @throws INPUT_INVALID
 * @source AWS CLI User Guide, "Configuring environment variables", AWS_CA_BUNDLE
 */
export function awsAuthorities(env: Readonly<Record<string, string | undefined>>): SecureContext | undefined {
  const file = env['AWS_CA_BUNDLE'];
  if (!file) return undefined;
  const ca = read(file);
  // Node passes over a text that is no certificate.
  const certificates = ca.split(begin).slice(1);
  if (certificates.length === 0) throw invalid(file, 'has no certificate in PEM form');
  try {
    for (const text of certificates) new X509Certificate(begin + text);
    return createSecureContext({ ca });
  } catch (error) {
    throw invalid(file, 'has a certificate that cannot be read', error);
  }
}

const begin = '-----BEGIN CERTIFICATE-----';

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(file, `cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
}

function invalid(file: string, problem: string, cause?: unknown): Failure {
  return new Failure('INPUT_INVALID', `${file}, which AWS_CA_BUNDLE names, ${problem}`, {
    hint: 'point AWS_CA_BUNDLE to a file of certificates in PEM form, or unset it',
    cause,
  });
}

/** What a GitHub App proves itself by: a JSON Web Token that it signs. Pure. */
import { sign } from 'node:crypto';
import type { GitHubApp } from './app.ts';

/** Seconds. GitHub refuses one from its future, and one that is valid for more than ten minutes from now. */
const drift = 60;
const validFor = 540;

/**
 * @param now seconds
 * @returns secret
 * @source GitHub Docs, "Generating a JSON Web Token (JWT) for a GitHub App"; RFC 7515 §3.1
 */
export function appToken(
  { issuer, privateKey }: Pick<GitHubApp, 'issuer' | 'privateKey'>,
  now: number,
): string {
  const at = Math.floor(now);
  const parts = [
    { alg: 'RS256', typ: 'JWT' },
    { iat: at - drift, exp: at + validFor, iss: issuer },
  ];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), privateKey).toString('base64url')}`;
}

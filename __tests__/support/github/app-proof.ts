/** Whether GitHub would accept an App's JSON Web Token; otherwise GitHub's message. */
import { decodeJwt, errors, jwtVerify } from 'jose';
import { AwsError } from '../aws/errors.ts';
import type { App, Installations } from './installations.ts';

/** Seconds. */
const longest = 600;

/** @source GitHub Docs, "Generating a JSON Web Token (JWT) for a GitHub App" */
export async function proveApp(jwt: string, installations: Installations, now: Date): Promise<App> {
  const claims = readClaims(jwt);
  const app = installations.appOf(claims.iss);
  if (!app) throw new AwsError({ code: 'NotFound', message: 'Integration not found', status: 404 });
  try {
    await jwtVerify(jwt, app.publicKey, { algorithms: ['RS256'], currentDate: now });
  } catch (error) {
    if (error instanceof errors.JWTExpired)
      throw unauthorized(
        "'Expiration time' claim ('exp') must be a numeric value representing the future time",
      );
    throw unauthorized('A JSON web token could not be decoded');
  }
  const seconds = now.getTime() / 1000;
  const { iat, exp } = claims;
  if (!Number.isInteger(iat) || Number(iat) > seconds)
    throw unauthorized(
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  if (!Number.isInteger(exp) || Number(exp) > seconds + longest)
    throw unauthorized("'Expiration time' claim ('exp') is too far in the future");
  return app;
}

function readClaims(jwt: string): ReturnType<typeof decodeJwt> {
  try {
    return decodeJwt(jwt);
  } catch {
    throw unauthorized('A JSON web token could not be decoded');
  }
}

export function unauthorized(message: string): AwsError {
  return new AwsError({ code: 'Unauthorized', message, status: 401 });
}

/** Stamps every score; a test holds it equal to package.json. */
export const ventralVersion = '0.1.0';

/** How PEM names cosign's private keys: it writes the first since 2.0 and reads both. */
export const sealedLabels = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"] as const;

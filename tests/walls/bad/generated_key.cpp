// EVP_PKEY_Q_keygen
#include <openssl/evp.h>
EVP_PKEY* f() { return EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"); }

#include "core/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <string>

namespace statefs {
namespace {

struct Free {
  void operator()(EVP_MD* it) const { EVP_MD_free(it); }
  void operator()(EVP_MD_CTX* it) const { EVP_MD_CTX_free(it); }
  void operator()(EVP_MAC* it) const { EVP_MAC_free(it); }
  void operator()(EVP_MAC_CTX* it) const { EVP_MAC_CTX_free(it); }
  void operator()(EVP_CIPHER* it) const { EVP_CIPHER_free(it); }
  void operator()(EVP_CIPHER_CTX* it) const { EVP_CIPHER_CTX_free(it); }
  void operator()(EVP_PKEY* it) const { EVP_PKEY_free(it); }
  void operator()(EVP_PKEY_CTX* it) const { EVP_PKEY_CTX_free(it); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

template <typename T>
Owned<T> own(T* made) {
  STATEFS_CHECK(made != nullptr);
  return Owned<T>(made);
}

constexpr std::size_t tag_size = 16;
constexpr std::size_t nonce_size = 12;

// Before anything is fetched: whoever comes first decides whether libcrypto reads openssl.cnf. A library context of
// our own would read none either, but costs 60 KiB and 0.7 ms each, and sharing one would be a mutable global.
void initialise_libcrypto() { STATEFS_CHECK(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) == 1); }

// A digest context that was initialised once, so that each use is only a reset.
Owned<EVP_MD_CTX> digest_context(const char* name) {
  initialise_libcrypto();
  const Owned<EVP_MD> digest = own(EVP_MD_fetch(nullptr, name, nullptr));
  Owned<EVP_MD_CTX> context = own(EVP_MD_CTX_new());
  STATEFS_CHECK(EVP_DigestInit_ex2(context.get(), digest.get(), nullptr) == 1);
  return context;
}

void digest_begin(EVP_MD_CTX* context) { STATEFS_CHECK(EVP_DigestInit_ex2(context, nullptr, nullptr) == 1); }

void digest_update(EVP_MD_CTX* context, ByteView bytes) {
  if (!bytes.empty()) STATEFS_CHECK(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
}

Digest digest_finish(EVP_MD_CTX* context) {
  Digest out;
  unsigned size = 0;
  STATEFS_CHECK(EVP_DigestFinal_ex(context, out.data(), &size) == 1 && size == out.size());
  return out;
}

Owned<EVP_MAC_CTX> hmac_context(const char* digest) {
  initialise_libcrypto();
  const Owned<EVP_MAC> mac = own(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  Owned<EVP_MAC_CTX> context = own(EVP_MAC_CTX_new(mac.get()));
  std::string name = digest;  // the parameter wants a pointer to non-const
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
                                   OSSL_PARAM_construct_end()};
  STATEFS_CHECK(EVP_MAC_CTX_set_params(context.get(), parameters) == 1);
  return context;
}

// An empty `key` starts again under the key before.
Digest hmac_of(EVP_MAC_CTX* context, ByteView key, ByteView first, ByteView second) {
  STATEFS_CHECK(EVP_MAC_init(context, key.empty() ? nullptr : key.data(), key.size(), nullptr) == 1);
  for (const ByteView part : {first, second}) {
    if (!part.empty()) STATEFS_CHECK(EVP_MAC_update(context, part.data(), part.size()) == 1);
  }
  Digest out;
  std::size_t size = 0;
  STATEFS_CHECK(EVP_MAC_final(context, out.data(), &size, out.size()) == 1 && size == out.size());
  return out;
}

// Imports X25519 keys. libcrypto derives the public key of every private key that it imports, and by code twice as slow
// as that of its own agreements (78 us against 37 us); it does not where a public key comes along. So an agreement with
// the base point makes the public key (RFC 7748 section 6.1), from an import whose public half is never used.
class X25519Importer {
 public:
  X25519Importer() : context_(own(EVP_PKEY_CTX_new_from_name(nullptr, "X25519", nullptr))) {
    STATEFS_CHECK(EVP_PKEY_fromdata_init(context_.get()) == 1);
  }
  Owned<EVP_PKEY> private_key(const SecretKey& secret) const {
    std::array<std::uint8_t, 32> bytes;  // libcrypto's parameters want pointers to non-const
    std::copy(secret.bytes().begin(), secret.bytes().end(), bytes.begin());
    std::array<std::uint8_t, 32> no_public{};
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, bytes.data(), bytes.size()),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, no_public.data(), no_public.size()),
        OSSL_PARAM_construct_end()};
    Owned<EVP_PKEY> key = import(EVP_PKEY_KEYPAIR, parameters);
    wipe(bytes);
    return key;
  }
  Owned<EVP_PKEY> public_key(PublicKey key) const {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, key.bytes.data(), key.bytes.size()),
        OSSL_PARAM_construct_end()};
    return import(EVP_PKEY_PUBLIC_KEY, parameters);
  }

 private:
  Owned<EVP_PKEY> import(int selection, OSSL_PARAM* parameters) const {
    EVP_PKEY* key = nullptr;
    STATEFS_CHECK(EVP_PKEY_fromdata(context_.get(), &key, selection, parameters) == 1);
    return own(key);
  }
  Owned<EVP_PKEY_CTX> context_;
};

class X25519Key final : public DhKey {
 public:
  X25519Key(const X25519Importer& importer, const SecretKey& secret)
      : key_(importer.private_key(secret)),
        peer_(importer.public_key(base_point)),
        context_(own(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr))) {
    STATEFS_CHECK(EVP_PKEY_derive_init(context_.get()) == 1);
    const Result<SecretKey, DhError> made = agree(base_point);
    std::copy(made.value().bytes().begin(), made.value().bytes().end(), public_key_.bytes.begin());
  }

  const PublicKey& public_key() const override { return public_key_; }

  Result<SecretKey, DhError> agree(const PublicKey& other) const override {
    // The peer's bytes are replaced where they lie: a new object for them would cost 6 us.
    STATEFS_CHECK(EVP_PKEY_set1_encoded_public_key(peer_.get(), other.bytes.data(), other.bytes.size()) == 1);
    // No validation: any 32 bytes are a public key, and the one bad outcome shows in the result.
    STATEFS_CHECK(EVP_PKEY_derive_set_peer_ex(context_.get(), peer_.get(), 0) == 1);
    std::array<std::uint8_t, 32> shared{};
    std::size_t size = shared.size();
    if (EVP_PKEY_derive(context_.get(), shared.data(), &size) != 1) {
      ERR_clear_error();
      return DhError::invalid_point;
    }
    STATEFS_CHECK(size == shared.size());
    SecretKey result(shared);
    wipe(shared);
    return result;
  }

 private:
  static constexpr PublicKey base_point{{9}};
  Owned<EVP_PKEY> key_;
  Owned<EVP_PKEY> peer_;  // scratch for agree()
  Owned<EVP_PKEY_CTX> context_;
  PublicKey public_key_;
};

class ChaChaPoly final : public Aead {
 public:
  ChaChaPoly(const EVP_CIPHER* cipher, const SecretKey& key) : context_(own(EVP_CIPHER_CTX_new())) {
    const std::array<std::uint8_t, nonce_size> nonce{};
    STATEFS_CHECK(EVP_CipherInit_ex2(context_.get(), cipher, key.bytes().data(), nonce.data(), 1, nullptr) == 1);
  }

  void seal(std::uint64_t nonce, ByteView associated, ByteView plaintext, std::uint8_t* out) override {
    begin(nonce, true);
    update(nullptr, associated);
    update(out, plaintext);
    int size = 0;
    STATEFS_CHECK(EVP_CipherFinal_ex(context_.get(), out + plaintext.size(), &size) == 1 && size == 0);
    STATEFS_CHECK(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, tag_size, out + plaintext.size()) == 1);
  }

  bool open(std::uint64_t nonce, ByteView associated, ByteView sealed, std::uint8_t* out) override {
    STATEFS_CHECK(sealed.size() >= tag_size);
    const ByteView ciphertext = sealed.first(sealed.size() - tag_size);
    std::array<std::uint8_t, tag_size> tag;  // libcrypto's parameter wants a pointer to non-const
    std::copy(sealed.end() - tag_size, sealed.end(), tag.begin());
    begin(nonce, false);
    STATEFS_CHECK(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()) == 1);
    update(nullptr, associated);
    update(out, ciphertext);
    int size = 0;
    std::uint8_t nothing = 0;  // the end yields no bytes, but must be given somewhere to put them
    if (EVP_CipherFinal_ex(context_.get(), &nothing, &size) == 1) return true;
    ERR_clear_error();
    return false;
  }

 private:
  void begin(std::uint64_t nonce, bool sealing) {
    std::array<std::uint8_t, nonce_size> bytes{};
    store_le(bytes.data() + 4, nonce);  // 32 zero bits, then the counter
    STATEFS_CHECK(EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, bytes.data(), sealing ? 1 : 0, nullptr) == 1);
  }

  // `out` null: associated data.
  void update(std::uint8_t* out, ByteView in) {
    if (in.empty()) return;
    int size = 0;
    STATEFS_CHECK(EVP_CipherUpdate(context_.get(), out, &size, in.data(), static_cast<int>(in.size())) == 1);
    STATEFS_CHECK(static_cast<std::size_t>(size) == in.size());
  }

  Owned<EVP_CIPHER_CTX> context_;
};

class CryptoSuite final : public Suite {
 public:
  CryptoSuite()
      : hash_(digest_context("BLAKE2S-256")),
        hmac_(hmac_context("BLAKE2S-256")),
        cipher_(own(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr))) {}

  std::shared_ptr<const DhKey> import(const SecretKey& secret) const override {
    return std::make_shared<const X25519Key>(importer_, secret);
  }
  std::unique_ptr<Aead> aead(const SecretKey& key) const override {
    return std::make_unique<ChaChaPoly>(cipher_.get(), key);
  }
  Digest hash(ByteView first, ByteView second) const override {
    digest_begin(hash_.get());
    digest_update(hash_.get(), first);
    digest_update(hash_.get(), second);
    return digest_finish(hash_.get());
  }
  Digest hmac(const Digest& key, ByteView first, ByteView second) const override {
    return hmac_of(hmac_.get(), key, first, second);
  }

 private:
  Owned<EVP_MD_CTX> hash_;  // scratch between two lines of hash(), hence usable from a const method
  Owned<EVP_MAC_CTX> hmac_;
  Owned<EVP_CIPHER> cipher_;
  X25519Importer importer_;
};

}  // namespace

SecretKey::SecretKey(std::span<const std::uint8_t, 32> from) { std::copy(from.begin(), from.end(), bytes_.begin()); }

SecretKey::~SecretKey() { wipe(bytes_); }

void wipe(std::span<std::uint8_t> bytes) { OPENSSL_cleanse(bytes.data(), bytes.size()); }

std::unique_ptr<Suite> make_crypto_suite() { return std::make_unique<CryptoSuite>(); }

struct Sha256::State {
  Owned<EVP_MD_CTX> context = digest_context("SHA2-256");
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Digest Sha256::of(ByteView first, ByteView second, ByteView third) {
  begin();
  update(first);
  update(second);
  update(third);
  return finish();
}

void Sha256::begin() { digest_begin(state_->context.get()); }
void Sha256::update(ByteView bytes) { digest_update(state_->context.get(), bytes); }
Digest Sha256::finish() { return digest_finish(state_->context.get()); }

struct HmacSha256::State {
  Owned<EVP_MAC_CTX> context = hmac_context("SHA2-256");
};

HmacSha256::HmacSha256(const SecretKey& key) : state_(std::make_unique<State>()) {
  STATEFS_CHECK(EVP_MAC_init(state_->context.get(), key.bytes().data(), key.bytes().size(), nullptr) == 1);
}
HmacSha256::~HmacSha256() = default;
HmacSha256::HmacSha256(HmacSha256&&) noexcept = default;
HmacSha256& HmacSha256::operator=(HmacSha256&&) noexcept = default;

Digest HmacSha256::of(ByteView message) { return hmac_of(state_->context.get(), {}, message, {}); }

}  // namespace statefs

#include "sim/crypto_watch.h"

#include <utility>

namespace statefs::sim {
namespace {

class WatchedAead final : public Aead {
 public:
  WatchedAead(CryptoWatch& watch, std::unique_ptr<Aead> aead) : watch_(watch), aead_(std::move(aead)) {}

  void seal(std::uint64_t nonce, ByteView associated, ByteView plaintext, std::uint8_t* out) override {
    watch_.use(cipher_, nonce);
    aead_->seal(nonce, associated, plaintext, out);
  }
  bool open(std::uint64_t nonce, ByteView associated, ByteView sealed, std::uint8_t* out) override {
    watch_.use(cipher_, nonce);
    if (cipher_.refused) watch_.fail("opens a record behind one that did not authenticate");
    const bool opened = aead_->open(nonce, associated, sealed, out);
    // A transport record has no associated data.
    if (!opened) watch_.refuse(!associated.empty());
    cipher_.refused |= !opened;
    return opened;
  }

 private:
  CryptoWatch& watch_;
  std::unique_ptr<Aead> aead_;
  CryptoWatch::Cipher cipher_;
};

class WatchedSuite final : public Suite {
 public:
  WatchedSuite(CryptoWatch& watch, std::unique_ptr<Suite> suite) : watch_(watch), suite_(std::move(suite)) {}
  std::shared_ptr<const DhKey> import(const SecretKey& secret) const override { return suite_->import(secret); }
  std::unique_ptr<Aead> aead(const SecretKey& key) const override { return std::make_unique<WatchedAead>(watch_, suite_->aead(key)); }
  Digest hash(ByteView first, ByteView second) const override { return suite_->hash(first, second); }
  Digest hmac(const Digest& key, ByteView first, ByteView second) const override { return suite_->hmac(key, first, second); }

 private:
  CryptoWatch& watch_;
  std::unique_ptr<Suite> suite_;
};

}  // namespace

std::unique_ptr<Suite> CryptoWatch::wrap(std::unique_ptr<Suite> suite) { return std::make_unique<WatchedSuite>(*this, std::move(suite)); }

void CryptoWatch::watch(const Schedule& schedule, const Trace& trace) {
  schedule_ = &schedule;
  trace_ = &trace;
}

void CryptoWatch::use(Cipher& cipher, std::uint64_t nonce) {
  ++result_.judged;
  if (nonce != cipher.next_nonce) fail("nonce " + std::to_string(nonce) + " where " + std::to_string(cipher.next_nonce) + " is next");
  cipher.next_nonce = nonce + 1;
  last_used_ = cipher;
}

void CryptoWatch::fail(const std::string& what) {
  if (!result_.failure.empty()) return;
  const std::string place = trace_ == nullptr ? "" : " at entry " + std::to_string(trace_->entries().size());
  result_.fail("node " + std::to_string(node()) + place + ": " + what);
}

void CryptoWatch::refuse(bool is_handshake) {
  refusals_.push_back({trace_ == nullptr ? 0 : trace_->entries().size(), node(), is_handshake});
}

}  // namespace statefs::sim

#include "sim/crypto_watch.h"

#include <algorithm>
#include <utility>

namespace statefs::sim {
namespace {

class WatchedAead final : public Aead {
 public:
  WatchedAead(CryptoWatch& watch, SpokenLine& line, std::unique_ptr<Aead> aead) : watch_(watch), line_(line), aead_(std::move(aead)) {}

  // A transport record has no associated data.
  void seal(std::uint64_t nonce, ByteView associated, ByteView plaintext, std::uint8_t* out) override {
    watch_.use(cipher_, nonce);
    if (associated.empty()) watch_.sealed(line_, plaintext);
    aead_->seal(nonce, associated, plaintext, out);
  }
  bool open(std::uint64_t nonce, ByteView associated, ByteView sealed, std::uint8_t* out) override {
    watch_.use(cipher_, nonce);
    if (cipher_.refused) watch_.fail("opens a record behind one that did not authenticate");
    const std::size_t size = sealed.size() - limits::aead_tag_size;
    const bool opened = aead_->open(nonce, associated, sealed, out);
    cipher_.refused |= !opened;
    if (!opened) watch_.refused(line_, !associated.empty());
    else if (associated.empty()) watch_.opened(line_, nonce, {out, size});
    else watch_.opened_handshake({out, size});
    return opened;
  }

 private:
  CryptoWatch& watch_;
  SpokenLine& line_;
  std::unique_ptr<Aead> aead_;
  CryptoWatch::Cipher cipher_;
};

class WatchedSuite final : public Suite {
 public:
  WatchedSuite(CryptoWatch& watch, std::unique_ptr<Suite> suite) : watch_(watch), suite_(std::move(suite)) {}
  std::shared_ptr<const DhKey> import(const SecretKey& secret) const override { return suite_->import(secret); }
  std::unique_ptr<Aead> aead(const SecretKey& key) const override {
    return std::make_unique<WatchedAead>(watch_, watch_.line_of(key), suite_->aead(key));
  }
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
  const std::string at = trace_ == nullptr ? "" : " at entry " + std::to_string(place());
  result_.fail("node " + std::to_string(node()) + at + ": " + what);
}

SpokenLine& CryptoWatch::line_of(const SecretKey& key) {
  Key bytes{};
  std::copy(key.bytes().begin(), key.bytes().end(), bytes.begin());
  SpokenLine& line = lines_[bytes];
  if (!arriving_ || node() != arriving_at_) return line;
  // The cipher of the last payload, then that of each direction, the initiator's first.
  fresh_.push_back(&line);
  if (fresh_.size() < 3) return line;
  fresh_[1]->other = fresh_[2];
  fresh_[2]->other = fresh_[1];
  connections_.push_back({arriving_at_, *arriving_, std::nullopt, place(), now(), fresh_[1], fresh_[2], no_place});
  arriving_.reset();
  return line;
}

void CryptoWatch::sealed(SpokenLine& line, ByteView plaintext) {
  if (line.is_over) fail("seals a record on a connection where one did not authenticate");
  line.text.insert(line.text.end(), plaintext.begin(), plaintext.end());
  line.parts.push_back({line.text.size(), place(), now(), no_place, {}});
}

void CryptoWatch::opened(SpokenLine& line, std::uint64_t nonce, ByteView plaintext) {
  if (nonce >= line.parts.size()) return fail("opens what nobody sealed");
  SpokenPart& part = line.parts[static_cast<std::size_t>(nonce)];
  const std::size_t begin = nonce == 0 ? 0 : line.parts[static_cast<std::size_t>(nonce) - 1].end;
  if (!equal(plaintext, ByteView(line.text).subspan(begin, part.end - begin))) return fail("opens another plaintext than was sealed");
  part.opened = place();
  part.opened_time = now();
  line.opened_count = static_cast<std::size_t>(nonce) + 1;
}

void CryptoWatch::opened_handshake(ByteView plaintext) {
  if (plaintext.size() != sizeof(PublicKey::bytes)) return;
  arriving_.emplace();
  std::copy(plaintext.begin(), plaintext.end(), arriving_->bytes.begin());
  arriving_at_ = node();
  fresh_.clear();
}

void CryptoWatch::refused(SpokenLine& line, bool is_handshake) {
  refusals_.push_back({place(), node(), is_handshake});
  arriving_.reset();
  if (line.other != nullptr) line.other->is_over = true;
  if (is_handshake) return;
  for (SpokenConnection& each : connections_) {
    if (each.requests == &line && each.responder == node()) each.refused = place();
  }
}

}  // namespace statefs::sim

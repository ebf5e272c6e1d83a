#include "sim/tap.h"

#include <algorithm>
#include <utility>

namespace statefs::sim {
namespace {

class TappedAead final : public Aead {
 public:
  TappedAead(Tap& tap, std::unique_ptr<Aead> aead) : tap_(tap), aead_(std::move(aead)), cipher_(tap.next_cipher()) {}

  void seal(std::uint64_t nonce, ByteView associated, ByteView plaintext, std::uint8_t* out) override {
    aead_->seal(nonce, associated, plaintext, out);
    note(TapKind::sealed, nonce, !associated.empty(), plaintext, {out + plaintext.size(), limits::aead_tag_size});
  }
  bool open(std::uint64_t nonce, ByteView associated, ByteView sealed, std::uint8_t* out) override {
    // A copy, because a record may be opened where it lies.
    Tag tag{};
    const ByteView last = sealed.last(limits::aead_tag_size);
    std::copy(last.begin(), last.end(), tag.begin());
    const std::size_t size = sealed.size() - limits::aead_tag_size;
    const bool opened = aead_->open(nonce, associated, sealed, out);
    note(opened ? TapKind::opened : TapKind::refused, nonce, !associated.empty(), opened ? ByteView(out, size) : ByteView{}, tag);
    return opened;
  }

 private:
  void note(TapKind kind, std::uint64_t nonce, bool is_handshake, ByteView plaintext, ByteView tag) {
    TapEntry entry;
    entry.kind = kind;
    entry.is_handshake = is_handshake;
    entry.cipher = cipher_;
    entry.nonce = nonce;
    tap_.note(entry, plaintext, tag);
  }

  Tap& tap_;
  std::unique_ptr<Aead> aead_;
  std::uint32_t cipher_;
};

class TappedSuite final : public Suite {
 public:
  TappedSuite(Tap& tap, std::unique_ptr<Suite> suite) : tap_(tap), suite_(std::move(suite)) {}
  std::shared_ptr<const DhKey> import(const SecretKey& secret) const override { return suite_->import(secret); }
  std::unique_ptr<Aead> aead(const SecretKey& key) const override {
    return std::make_unique<TappedAead>(tap_, suite_->aead(key));
  }
  Digest hash(ByteView first, ByteView second) const override { return suite_->hash(first, second); }
  Digest hmac(const Digest& key, ByteView first, ByteView second) const override { return suite_->hmac(key, first, second); }

 private:
  Tap& tap_;
  std::unique_ptr<Suite> suite_;
};

}  // namespace

std::unique_ptr<Suite> Tap::wrap(std::unique_ptr<Suite> suite) { return std::make_unique<TappedSuite>(*this, std::move(suite)); }

void Tap::watch(const Schedule& schedule, const Trace& trace) {
  STATEFS_CHECK(entries_.empty());
  schedule_ = &schedule;
  trace_ = &trace;
}

void Tap::note(TapEntry entry, ByteView plaintext, ByteView tag) {
  STATEFS_CHECK(schedule_ != nullptr && tag.size() == entry.tag.size());
  if (plaintext.size() > kept_size_max_ - arena_.size()) {
    ++dropped_count_;
    return;
  }
  entry.time = schedule_->now();
  entry.node = schedule_->working_node();
  entry.place = trace_->entries().size();
  std::copy(tag.begin(), tag.end(), entry.tag.begin());
  entry.plaintext_at = arena_.size();
  entry.plaintext_size = plaintext.size();
  arena_.insert(arena_.end(), plaintext.begin(), plaintext.end());
  entries_.push_back(entry);
}

}  // namespace statefs::sim

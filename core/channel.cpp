#include "core/channel.h"

#include <algorithm>

#include "core/noise.h"

namespace statefs {
namespace {

constexpr std::string_view prologue = "dsoftbus/remote-statefs/1";
constexpr std::size_t key_size = sizeof(PublicKey::bytes);

// Of the three messages: ephemeral and tag, ephemeral and tag, sealed static key and tag.
constexpr std::size_t handshake_sizes[noise::HandshakeState::messages] = {
    key_size + limits::aead_tag_size, key_size + limits::aead_tag_size, key_size + 2 * limits::aead_tag_size};

constexpr std::size_t part_max = limits::record_plaintext_size_max;
constexpr std::size_t record_overhead = limits::record_length_size + limits::aead_tag_size;

}  // namespace

// A handshake, then two transport ciphers; at last, perhaps, the event that killed it.
struct Channel::State {
  State(const Suite& suite, noise::Role role, noise::HandshakeState::Keys keys, std::uint64_t records_max_of_each)
      : handshake(std::make_unique<noise::HandshakeState>(suite, role, as_bytes(prologue), std::move(keys))),
        initiates(role == noise::Role::initiator),
        records_max(records_max_of_each) {
    if (initiates) write_handshake();
  }

  ChannelEvent die(ChannelEvent cause) {
    death = cause;
    Bytes().swap(held);
    Bytes().swap(handshake_output);
    handshake.reset();
    return cause;
  }

  // Why a message of this announced size cannot be accepted, or nothing.
  [[nodiscard]] std::optional<ChannelEvent> refuse_size(std::size_t size) const {
    if (handshake != nullptr) {
      if (size != handshake_sizes[handshake->next_message()]) return ChannelEvent::handshake_failed;
    } else if (size < limits::aead_tag_size) {
      return ChannelEvent::damaged;
    } else if (incoming->nonces_left() == 0) {
      return ChannelEvent::exhausted;
    }
    return std::nullopt;
  }

  // Takes bytes until `held` has `size` of them; false where there are too few.
  [[nodiscard]] bool hold(ByteView& bytes, std::size_t size) {
    const std::size_t taken = std::min(bytes.size(), size - held.size());
    // Room for what came, not for what was announced: two bytes must not buy 64 KiB.
    const std::size_t needed = held.size() + taken;
    if (held.capacity() < needed) held.reserve(std::min(size, std::max(2 * held.size(), needed)));
    held.insert(held.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
    return held.size() == size;
  }

  ChannelEvent accept(ByteView message, Bytes& plaintext) {
    return handshake != nullptr ? accept_handshake(message) : accept_record(message, plaintext);
  }

  ChannelEvent accept_handshake(ByteView message) {
    Bytes payload;
    if (!handshake->read(message, payload)) return die(ChannelEvent::handshake_failed);
    if (handshake->my_turn() && !write_handshake()) return *death;
    if (!handshake->finished()) return ChannelEvent::handshake_step;
    peer = handshake->peer();
    hash = handshake->handshake_hash();
    noise::SymmetricState::Split ciphers = handshake->split(records_max);
    outgoing = std::move(initiates ? ciphers.initiator : ciphers.responder);
    incoming = std::move(initiates ? ciphers.responder : ciphers.initiator);
    handshake.reset();
    return ChannelEvent::established;
  }

  bool write_handshake() {
    handshake_output.reserve(limits::record_length_size + handshake_sizes[handshake->next_message()]);
    handshake_output.resize(limits::record_length_size);
    if (!handshake->write({}, handshake_output)) {
      die(ChannelEvent::handshake_failed);
      return false;
    }
    const std::size_t size = handshake_output.size() - limits::record_length_size;
    store_be16(handshake_output.data(), static_cast<std::uint16_t>(size));
    return true;
  }

  ChannelEvent accept_record(ByteView record, Bytes& plaintext) {
    const std::size_t at = plaintext.size();
    const std::size_t size = record.size() - limits::aead_tag_size;
    plaintext.resize(at + size);
    if (!incoming->open({}, record, plaintext.data() + at)) {
      wipe(std::span(plaintext).subspan(at));  // what does not authenticate must not lie about in the caller's buffer
      plaintext.resize(at);
      return die(ChannelEvent::damaged);
    }
    return size == 0 ? ChannelEvent::keepalive : ChannelEvent::plaintext;
  }

  void seal_record(ByteView plaintext, std::uint8_t* out) {
    store_be16(out, static_cast<std::uint16_t>(plaintext.size() + limits::aead_tag_size));
    outgoing->seal({}, plaintext, out + limits::record_length_size);
  }

  std::unique_ptr<noise::HandshakeState> handshake;  // until established
  bool initiates;
  std::uint64_t records_max;
  std::optional<ChannelEvent> death;
  std::optional<noise::CipherState> outgoing;
  std::optional<noise::CipherState> incoming;
  PublicKey peer;
  Digest hash{};
  Bytes held;  // an incomplete message with its length
  Bytes handshake_output;
};

Channel::Channel(std::unique_ptr<State> state) : state_(std::move(state)) {}
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&&) noexcept = default;
Channel::~Channel() = default;

Channel Channel::initiator(const Suite& suite, std::shared_ptr<const DhKey> self, const PublicKey& server,
                           const SecretKey& ephemeral, std::uint64_t records_max) {
  return Channel(std::make_unique<State>(suite, noise::Role::initiator,
                                         noise::HandshakeState::Keys{std::move(self), ephemeral, server}, records_max));
}

Channel Channel::responder(const Suite& suite, std::shared_ptr<const DhKey> self, const SecretKey& ephemeral,
                           std::uint64_t records_max) {
  return Channel(std::make_unique<State>(suite, noise::Role::responder,
                                         noise::HandshakeState::Keys{std::move(self), ephemeral, {}}, records_max));
}

ChannelEvent Channel::receive(ByteView& bytes, Bytes& plaintext) {
  State& state = *state_;
  if (state.death) {
    bytes = {};
    return *state.death;
  }
  constexpr std::size_t prefix = limits::record_length_size;
  if (state.held.size() < prefix && state.held.size() + bytes.size() < prefix) {
    (void)state.hold(bytes, prefix);
    return ChannelEvent::need_more;
  }
  const bool in_place = state.held.empty();
  if (!in_place && state.held.size() < prefix) (void)state.hold(bytes, prefix);
  const std::size_t size = load_be16(in_place ? bytes.data() : state.held.data());
  if (const std::optional<ChannelEvent> refusal = state.refuse_size(size)) {
    bytes = {};
    return state.die(*refusal);
  }
  ChannelEvent event = ChannelEvent::need_more;
  if (in_place && bytes.size() >= prefix + size) {
    const ByteView message = bytes.subspan(prefix, size);
    bytes = bytes.subspan(prefix + size);
    event = state.accept(message, plaintext);
  } else if (state.hold(bytes, prefix + size)) {
    Bytes whole;  // released on return, so that an idle channel holds no buffer
    whole.swap(state.held);
    event = state.accept(ByteView(whole).subspan(prefix), plaintext);
  }
  if (state.death) bytes = {};
  return event;
}

Bytes Channel::take_handshake_output() {
  Bytes out;
  out.swap(state_->handshake_output);
  return out;
}

bool Channel::seal(ByteView plaintext, Bytes& out) {
  STATEFS_CHECK(established());
  const std::size_t records = (plaintext.size() + part_max - 1) / part_max;
  if (dead() || state_->outgoing->nonces_left() < records) return false;
  std::size_t at = out.size();
  out.resize(at + plaintext.size() + records * record_overhead);
  while (!plaintext.empty()) {
    const ByteView part = plaintext.first(std::min(plaintext.size(), part_max));
    state_->seal_record(part, out.data() + at);
    at += part.size() + record_overhead;
    plaintext = plaintext.subspan(part.size());
  }
  return true;
}

bool Channel::seal_keepalive(Bytes& out) {
  STATEFS_CHECK(established());
  if (dead() || state_->outgoing->nonces_left() == 0) return false;
  const std::size_t at = out.size();
  out.resize(at + record_overhead);
  state_->seal_record({}, out.data() + at);
  return true;
}

bool Channel::established() const { return state_->outgoing.has_value(); }
bool Channel::dead() const { return state_->death.has_value(); }
bool Channel::mid_message() const { return !state_->held.empty(); }
std::size_t Channel::buffered_size() const { return state_->held.capacity() + state_->handshake_output.capacity(); }

const PublicKey& Channel::peer() const {
  STATEFS_CHECK(established());
  return state_->peer;
}

const Digest& Channel::handshake_hash() const {
  STATEFS_CHECK(established());
  return state_->hash;
}

}  // namespace statefs

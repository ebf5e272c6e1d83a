#include "sim/hostile.h"

#include <string>
#include <utility>

#include "core/service.h"

namespace statefs::sim {
namespace {

constexpr std::uint32_t actions_max = 40;
constexpr std::size_t streams_max = 4;  // of a handshake flood and of a crowd; others have one
constexpr std::uint32_t drops = 200;    // bytes of a record that never ends
constexpr Duration drop_pause = milliseconds(60);
constexpr Duration pause_max = milliseconds(400);

const std::string root = "/state/shared/";

Bytes frames_of(std::initializer_list<Request> requests) {
  Bytes frames;
  for (const Request& request : requests) encode_request(request, frames);
  return frames;
}

}  // namespace

Hostile::Hostile(Node& node, NodeId server, const PublicKey& server_key, HostileKind kind)
    : Program(node),
      server_(server),
      server_key_(server_key),
      kind_(kind),
      random_(node.ground().random.stream("hostile/" + std::to_string(node.id()))),
      noise_("noise " + std::to_string(node.id())),
      actions_left_(static_cast<std::uint32_t>(random_.between(1, actions_max))),
      next_(node.now().monotonic) {
  if (kind == HostileKind::drip) actions_left_ += drops;
  request_wake();
}

void Hostile::go_on() {
  constexpr std::uint32_t actions_more = 300;
  actions_left_ = actions_more;
  request_wake();
}

void Hostile::leave() {
  actions_left_ = 0;
  for (auto& [end, raw] : std::exchange(raws_, {})) close(end);
}

void Hostile::drop(StreamEnd end) {
  raws_.erase(end);
  close(end);
}

void Hostile::work(const std::vector<StreamEnd>&, Now now) {
  const bool has_many = kind_ == HostileKind::handshake_flood || kind_ == HostileKind::crowd;
  const std::size_t wanted = has_many ? streams_max : 1;
  if (actions_left_ > 0 && now.monotonic >= next_) {
    if (raws_.size() < wanted) {
      std::optional<Channel> channel;
      if (kind_ != HostileKind::handshake_flood) {
        channel.emplace(Channel::initiator(node().ground().suite, node().identity(), server_key_, node().fresh_key()));
      }
      const StreamEnd end = connect(server_);
      greet(raws_.emplace(end, RawEnd(std::move(channel))).first->second);
    } else {
      act();
    }
    --actions_left_;
    next_ = now.monotonic + (kind_ == HostileKind::drip ? drop_pause : random_pause());
  }
  for (auto at = raws_.begin(); at != raws_.end();) {
    const StreamEnd end = at->first;
    // One that is deaf has listened until it had a session to write with.
    const bool reads = kind_ != HostileKind::deaf || session_ == 0;
    if (!at->second.move(stream(end), end.side, reads)) {
      ++at;
      drop(end);
      continue;
    }
    while (const auto response = at->second.take_response()) {
      if (const auto* hello = std::get_if<HelloResponse>(&response->body); hello != nullptr && response->status == Status::ok) heard_ = *hello;
      if (const auto* session = std::get_if<SessionResponse>(&response->body); session != nullptr && session->session != 0) {
        session_ = session->session;
        if (is_noisy() && response->op == static_cast<std::uint8_t>(Op::open)) noise_.opened(session_);
      }
    }
    ++at;
  }
  if (actions_left_ == 0 && kind_ != HostileKind::deaf) leave();
}

Duration Hostile::random_pause() {
  return nanoseconds(static_cast<std::int64_t>(random_.skewed(static_cast<std::uint64_t>(pause_max.ns))));
}

void Hostile::greet(RawEnd& raw) {
  if (kind_ == HostileKind::handshake_flood) return raw.send_raw(first_message());
  if (is_noisy()) return raw.send_plain(noise_.greeting(random_, id_));
  HelloRequest hello;
  // Some do not even say hello well.
  hello.version = random_.chance({1, 8}) ? std::uint16_t{77} : protocol_version;
  hello.features = feature_sessions;
  name_head(hello);
  OpenRequest open;
  open.instance[0] = static_cast<std::uint8_t>(random_.below(4));
  open.generation = 1 + static_cast<std::uint32_t>(random_.below(3));
  if (random_.chance({7, 8})) raw.send_plain(frames_of({{++id_, hello}}));
  raw.send_plain(frames_of({{++id_, open}}));
}

// What it was told last, as it was or in one thing not.
void Hostile::name_head(HelloRequest& hello) {
  if (!heard_ || random_.chance({1, 4})) return;
  hello.store = heard_->store;
  hello.epoch = heard_->epoch;
  hello.head = heard_->head;
  switch (random_.below(6)) {
    case 0: hello.head.hash[random_.below(hello.head.hash.size())] ^= 1; break;
    case 1: hello.head.index += 1; break;
    case 2: hello.head.index += std::uint64_t{1} << 40; break;
    case 3: hello.epoch += 1; break;
    default: break;
  }
}

void Hostile::act() {
  RawEnd& raw = raws_.begin()->second;
  const StreamEnd end = raws_.begin()->first;
  // Says that it is done, waits for what comes, and begins anew.
  if (raw.done()) return drop(end);
  if (stream(end).is_open(end.side) && random_.chance({1, 24})) return raw.finish(stream(end), end.side);
  switch (kind_) {
    case HostileKind::garbage:
      if (!random_.chance({1, 6})) return raw.send_plain(garbage());
      // An OPEN is answered when it is durable: not yet, when what is no record comes behind it.
      raw.send_plain(frames_of({{++id_, some_open()}}));
      return raw.send_raw(junk());
    case HostileKind::intruder: return raw.send_plain(intrusion());
    case HostileKind::flood: return raw.send_plain(flood());
    case HostileKind::deaf: return raw.send_plain(greedy_reads());
    case HostileKind::handshake_flood: return raw.send_raw(first_message());
    case HostileKind::drip: return raw.established() ? raw.send_raw(Bytes{0xff}) : void();
    case HostileKind::crowd: return crowd();
    case HostileKind::noisy: return raw.send_plain(noise_.next(random_, id_));
    case HostileKind::stranger:
    case HostileKind::misled:
    case HostileKind::repeater: return;  // programs of their own
  }
}

// A good frame with something wrong in it, or none at all.
Bytes Hostile::garbage() {
  const std::string key = root + "garbage";
  const Bytes value(random_.below(200), 'g');
  Bytes frames = frames_of({{++id_, PutRequest{strange_slot(), {}, as_bytes(key), static_cast<std::uint32_t>(value.size()), value, {}}}});
  switch (random_.below(5)) {
    case 0: random_.fill(frames); break;
    case 1: frames[random_.below(frames.size())] ^= static_cast<std::uint8_t>(1u << random_.below(8)); break;
    case 2: frames[random_.below(limits::frame_header_size)] = static_cast<std::uint8_t>(random_.next()); break;
    case 3: {
      // A value over its limit in a legal frame: it is skipped, and the rest of the frame never comes.
      frames.resize(frames.size() + limits::value_size_max, 'G');
      break;
    }
    default: frames.resize(random_.below(frames.size())); break;
  }
  return frames;
}

OpenRequest Hostile::some_open() {
  OpenRequest open;
  open.instance[0] = static_cast<std::uint8_t>(random_.below(4));
  open.generation = 1 + static_cast<std::uint32_t>(random_.below(9));
  return open;
}

// No record at all.
Bytes Hostile::junk() {
  Bytes bytes(1 + random_.below(300));
  random_.fill(bytes);
  return bytes;
}

SlotRef Hostile::strange_slot() {
  SlotRef at;
  const std::uint64_t epoch = random_.between(1, 3);
  const std::uint64_t other = (epoch << 40) + random_.below(40);
  at.session = random_.chance({1, 2}) && session_ != 0 ? session_ : other;
  at.sequence = random_.chance({1, 2}) ? 1 + random_.below(3) : random_.next();
  at.generation = 1 + static_cast<std::uint32_t>(random_.below(3));
  at.slot = static_cast<std::uint16_t>(random_.skewed(40));
  return at;
}

// One of its connections does something, so that all of them are in use.
void Hostile::crowd() {
  for (auto& [end, raw] : raws_) raw.send_plain(frames_of({{++id_, GetRequest{{}, 0, 10, as_bytes(root + "k0")}}}));
  if (!random_.chance({1, 4})) return;
  auto at = raws_.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(random_.below(raws_.size())));
  drop(at->first);
}

// More than a key may ask for at once.
Bytes Hostile::resume_storm() {
  constexpr int storm_size = 600;
  Bytes frames;
  for (int i = 0; i < storm_size; ++i) encode_request({++id_, ResumeRequest{{}, 1}}, frames);
  return frames;
}

Bytes Hostile::intrusion() {
  if (random_.chance({1, 16})) return resume_storm();
  const std::string key = root + "k0";
  const std::string value = "intruder " + std::to_string(node().id()) + "." + std::to_string(id_);
  SessionInstance instance{};
  random_.fill(instance);
  switch (random_.below(7)) {
    case 0: return frames_of({{++id_, ResumeRequest{instance, ~std::uint32_t{0}}}});
    case 1: return frames_of({{++id_, CloseRequest{(std::uint64_t{1} << 40) + random_.below(40), 1}}});
    case 2: return frames_of({{++id_, OutcomeRequest{instance, 1 + random_.below(5), static_cast<std::uint16_t>(random_.below(20))}}});
    case 3: return frames_of({{++id_, DeleteRequest{strange_slot(), {}, as_bytes(key)}}});
    case 4: {
      const SlotRef at = strange_slot();
      const DeleteRequest del{at, {}, as_bytes(key)};
      const PutRequest put{at, {}, as_bytes(key), static_cast<std::uint32_t>(value.size()), as_bytes(value), {}};
      return frames_of({{++id_, del}, {++id_, put}, {++id_, del}});
    }
    case 5: {
      const OpenRequest open = some_open();
      return frames_of({{++id_, open}, {++id_, CloseRequest{session_, 1}}, {++id_, CloseRequest{session_, 1}}, {++id_, open}});
    }
    default: {
      const PutRequest put{strange_slot(), {}, as_bytes(key), static_cast<std::uint32_t>(value.size()), as_bytes(value), {}};
      return frames_of({{++id_, put}, {++id_, put}});
    }
  }
}

Bytes Hostile::flood() {
  Bytes frames;
  const std::string secret = "/state/keystore/" + std::to_string(random_.below(3));
  for (std::uint64_t i = random_.between(1, 200); i > 0; --i) {
    if (random_.chance({1, 8})) encode_request({++id_, ListRequest{0, as_bytes("/state/"), {}}}, frames);
    else encode_request({++id_, GetRequest{{}, 0, 10, as_bytes(secret)}}, frames);
  }
  return frames;
}

Bytes Hostile::greedy_reads() {
  Bytes frames;
  const std::string key = root + "greedy";
  if (session_ != 0) {
    const Bytes value(60'000, 'd');
    encode_request({++id_, PutRequest{{session_, 1, 1, 0}, {}, as_bytes(key), static_cast<std::uint32_t>(value.size()), value, {}}}, frames);
  }
  for (int i = 0; i < 40; ++i) encode_request({++id_, GetRequest{{}, 0, limits::value_size_max, as_bytes(key)}}, frames);
  return frames;
}

// Of a handshake: as long as a good one, which it is or is not.
Bytes Hostile::first_message() {
  Bytes message{0, 48};
  message.resize(50);
  random_.fill(std::span(message).subspan(2));
  if (random_.chance({1, 4})) message.resize(random_.below(message.size()));
  if (message.size() > 1 && random_.chance({1, 4})) message[1] = static_cast<std::uint8_t>(random_.next());
  return message;
}

}  // namespace statefs::sim

#include "sim/conversation.h"

#include <algorithm>
#include <map>
#include <utility>

#include "sim/shadow.h"

namespace statefs::sim {
namespace {

// The last entry that was there when the byte before `end` was sealed, or opened.
Place before(Place count) { return count == 0 ? 0 : count - 1; }

class Conversation {
 public:
  Conversation(const SpokenConnection& of, NodeId peer, std::uint32_t number) : of_(of), peer_(peer), number_(number) {}

  std::vector<SeenExchange> tell() {
    take_requests();
    take_answers();
    return std::move(exchanges_);
  }

 private:
  [[nodiscard]] const SpokenPart& part_of(const SpokenLine& line, std::size_t end) const {
    return *std::lower_bound(line.parts.begin(), line.parts.end(), end, [](const SpokenPart& part, std::size_t at) { return part.end < at; });
  }
  void take_requests();
  [[nodiscard]] bool take_request(const FrameHeader& header, ByteView body, std::size_t at);
  void take_answers();
  void take_answer(const FrameHeader& header, ByteView body, std::size_t end);

  const SpokenConnection& of_;
  NodeId peer_;
  std::uint32_t number_;
  std::vector<SeenExchange> exchanges_;
};

void Conversation::take_requests() {
  const SpokenLine& line = *of_.requests;
  const std::size_t size = line.opened_count == 0 ? 0 : line.parts[line.opened_count - 1].end;
  std::size_t at = 0;
  while (size - at >= limits::frame_header_size) {
    const ByteView rest = ByteView(line.text).subspan(at, size - at);
    const FrameHeader header = load_frame_header(rest);
    const bool is_frame = decode_frame_header(rest).ok();
    const std::size_t here = std::min<std::size_t>(is_frame ? header.body_size : 0, rest.size() - limits::frame_header_size);
    if (!take_request(header, rest.subspan(limits::frame_header_size, here), at)) return;
    at += limits::frame_header_size + here;
    if (here < header.body_size) return;
  }
}

// False where nothing behind it can be read. What needs no whole body may be answered before it is there.
bool Conversation::take_request(const FrameHeader& header, ByteView body, std::size_t at) {
  SeenExchange exchange;
  exchange.node = of_.responder;
  exchange.peer = peer_;
  exchange.connection = number_;
  exchange.id = header.id;
  exchange.op = header.op;
  std::size_t end = at + limits::frame_header_size;
  const bool is_frame = header.body_size <= limits::frame_body_size_max;
  const auto decoded = is_frame ? decode_request(header, body) : Result<Request, RequestError>(RequestError::malformed);
  if (decoded.ok()) {
    exchange.form = SeenExchange::Form::request;
    exchange.request = decoded.value();
    const auto* const put = std::get_if<PutRequest>(&exchange.request.body);
    const auto* const stage = std::get_if<StageRequest>(&exchange.request.body);
    const bool is_cut = (put != nullptr && put->value.size() < put->value_size) || (stage != nullptr && stage->chunk.size() < stage->chunk_size);
    if (!is_cut) end += header.body_size;
  } else if (decoded.error() == RequestError::incomplete) {
    return false;
  } else {
    exchange.form = decoded.error() == RequestError::unknown_op ? SeenExchange::Form::unknown_op : SeenExchange::Form::malformed;
  }
  const SpokenPart& part = part_of(*of_.requests, end);
  exchange.asked = before(part.opened);
  exchange.asked_time = part.opened_time;
  exchanges_.push_back(std::move(exchange));
  return true;
}

void Conversation::take_answers() {
  const SpokenLine& line = *of_.answers;
  const ByteView text = line.text;
  std::size_t at = 0;
  while (text.size() - at >= limits::frame_header_size) {
    const ByteView rest = text.subspan(at);
    const FrameHeader header = load_frame_header(rest);
    const std::size_t size = limits::frame_header_size + header.body_size;
    if (!decode_frame_header(rest).ok() || size > rest.size()) break;
    take_answer(header, rest.subspan(limits::frame_header_size, header.body_size), at + size);
    at += size;
  }
  if (at == text.size()) return;
  // Something that is no answer.
  take_answer({}, {}, text.size());
}

void Conversation::take_answer(const FrameHeader& header, ByteView body, std::size_t end) {
  const SpokenPart& part = part_of(*of_.answers, end);
  const Place place = before(part.sealed);
  const auto own = std::find_if(exchanges_.begin(), exchanges_.end(), [&](const SeenExchange& each) {
    return each.answered == no_place && each.id == header.id && header.op == (each.op | response_bit) && each.asked <= place;
  });
  SeenExchange stray;
  stray.node = of_.responder;
  stray.peer = peer_;
  stray.connection = number_;
  stray.asked = place;
  SeenExchange& exchange = own == exchanges_.end() ? stray : *own;
  exchange.answered = place;
  exchange.answered_time = part.sealed_time;
  auto response = decode_response(header, body);
  exchange.is_readable = response.ok();
  if (response.ok()) exchange.answer = std::move(response).value();
  if (own == exchanges_.end()) exchanges_.push_back(std::move(stray));
}

}  // namespace

void add_conversations(const CryptoWatch& ciphers, const PlainWatch& plain, const std::vector<PublicKey>& keys, History& history) {
  std::map<PublicKey, NodeId> nodes;
  for (NodeId node = 0; node < keys.size(); ++node) nodes.emplace(keys[node], node);
  std::uint32_t number = 0;
  const auto add = [&](const SpokenConnection& each, NodeId node) {
    SeenArrival arrival{before(each.made), each.responder, node, number, each.refused, no_place, each.requests->opened_count > 0,
                        each.uid.has_value(), each.made_time, each.requests, each.answers};
    if (!each.answers->parts.empty()) arrival.last_said = before(each.answers->parts.back().sealed);
    history.arrivals.push_back(arrival);
    for (SeenExchange& exchange : Conversation(each, node, number).tell()) history.exchanges.push_back(std::move(exchange));
    ++number;
  };
  for (const SpokenConnection& each : ciphers.connections()) {
    const auto peer = nodes.find(each.peer);
    add(each, peer == nodes.end() ? no_node : peer->second);
  }
  for (const SpokenConnection& each : plain.connections()) add(each, node_of_uid(*each.uid));
  std::stable_sort(history.arrivals.begin(), history.arrivals.end(), [](const SeenArrival& a, const SeenArrival& b) { return a.at < b.at; });
  // Time passes between places too: what leaves no entry in the trace, as a read does, is in order all the same.
  std::stable_sort(history.exchanges.begin(), history.exchanges.end(), [](const SeenExchange& a, const SeenExchange& b) {
    return std::pair(a.asked, a.asked_time) < std::pair(b.asked, b.asked_time);
  });
}

}  // namespace statefs::sim

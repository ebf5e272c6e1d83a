#include "sim/session_hog.h"

#include "core/service.h"

namespace statefs::sim {

SessionHog::SessionHog(Node& node, NodeId server, const PublicKey& server_key, std::uint32_t session_count)
    : Program(node),
      server_(server),
      raw_(Channel::initiator(node.ground().suite, node.identity(), server_key, node.fresh_key())),
      session_count_(session_count) {
  Bytes frames;
  HelloRequest hello;
  hello.version = protocol_version;
  hello.features = feature_sessions;
  encode_request({next_id_++, hello}, frames);
  do {
    open(frames);
  } while (!turns_over() && instances_.size() < session_count_);
  raw_.send_plain(frames);
  request_wake();
}

void SessionHog::open(Bytes& frames) {
  OpenRequest open;
  node().random().fill(open.instance);
  open.generation = 1;
  instances_.push_back(open.instance);
  encode_request({next_id_++, open}, frames);
}

void SessionHog::take(const Response& response) {
  const auto* const session = std::get_if<SessionResponse>(&response.body);
  if (session == nullptr) return;
  Bytes frames;
  const bool opened = response.op == static_cast<std::uint8_t>(Op::open) && response.status == Status::ok;
  if (turns_over() && opened) {
    encode_request({next_id_++, CloseRequest{session->session, 1}}, frames);
  } else if (++answered_ < session_count_) {
    if (turns_over()) open(frames);
  } else {
    for (const SessionInstance& instance : instances_) encode_request({next_id_++, OutcomeRequest{instance, 1, 0}}, frames);
  }
  if (frames.empty()) return;
  raw_.send_plain(frames);
  request_wake();
}

void SessionHog::work(const std::vector<StreamEnd>&, Now) {
  if (over_) return;
  if (!end_) end_ = connect(server_);
  if (!raw_.move(stream(*end_), end_->side, true)) return leave();
  while (const auto response = raw_.take_response()) take(*response);
}

void SessionHog::leave() {
  over_ = true;
  if (!end_) return;
  close(*end_);
  end_.reset();
}

}  // namespace statefs::sim

#include "sim/session_hog.h"

#include "core/service.h"

namespace statefs::sim {

SessionHog::SessionHog(Node& node, NodeId server, const PublicKey& server_key, std::uint32_t session_count)
    : Program(node), server_(server), raw_(Channel::initiator(node.ground().suite, node.identity(), server_key, node.fresh_key())) {
  Bytes frames;
  HelloRequest hello;
  hello.version = protocol_version;
  hello.features = feature_sessions;
  encode_request({1, hello}, frames);
  for (std::uint32_t i = 0; i < session_count; ++i) {
    OpenRequest open;
    node.random().fill(open.instance);
    open.generation = 1;
    encode_request({2 + i, open}, frames);
  }
  raw_.send_plain(frames);
  request_wake();
}

void SessionHog::work(const std::vector<StreamEnd>&, Now) {
  if (over_) return;
  if (!end_) end_ = connect(server_);
  if (!raw_.move(stream(*end_), end_->side, true)) return leave();
  while (raw_.take_response()) {
  }
}

void SessionHog::leave() {
  over_ = true;
  if (!end_) return;
  close(*end_);
  end_.reset();
}

}  // namespace statefs::sim

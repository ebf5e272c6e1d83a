#include "core/session_state.h"

namespace statefs {

namespace {

using Row = std::array<SessionStep, session_event_count>;

constexpr SessionStep drain{SessionState::draining, SessionAction::none};
constexpr SessionStep close{SessionState::closed, SessionAction::drop};
constexpr SessionStep hurt{SessionState::closed, SessionAction::record_damage};
constexpr SessionStep wrong{SessionState::closed, SessionAction::bug};

constexpr SessionStep stay(SessionState state) { return {state, SessionAction::none}; }

constexpr SessionStep ask3{SessionState::awaiting_message_3, SessionAction::send_message_2};
constexpr SessionStep enter{SessionState::greeting, SessionAction::start_session};
constexpr SessionStep greet{SessionState::serving, SessionAction::greet};
constexpr SessionStep alien{SessionState::draining, SessionAction::refuse_version};
constexpr SessionStep bad{SessionState::draining, SessionAction::refuse_frame};
constexpr SessionStep serve{SessionState::serving, SessionAction::execute};

constexpr SessionStep in_3 = stay(SessionState::awaiting_message_3);
constexpr SessionStep in_s = stay(SessionState::serving);
constexpr SessionStep in_d = stay(SessionState::draining);
constexpr SessionStep in_c = stay(SessionState::closed);

// A request before HELLO is malformed: greeting/request has the action of greeting/malformed. While draining nothing is
// read, so nothing that reading would find can happen.
// clang-format off
constexpr std::array<Row, session_state_count> table{{
    //  message_1 admitted refused hello  foreign request malformed damaged ended  overdue aged   expelled failed shut   drained
    Row{ask3,     wrong,   close,  wrong, wrong,  wrong,  wrong,    wrong,  close, close,  close, close,   close, close, stay(SessionState::awaiting_message_1)},
    Row{wrong,    enter,   close,  wrong, wrong,  wrong,  wrong,    wrong,  close, close,  close, close,   close, close, in_3},
    Row{wrong,    wrong,   wrong,  greet, alien,  bad,    bad,      hurt,   close, close,  close, close,   close, close, stay(SessionState::greeting)},
    Row{wrong,    wrong,   wrong,  serve, serve,  serve,  bad,      hurt,   close, close,  drain, close,   close, drain, in_s},
    Row{wrong,    wrong,   wrong,  wrong, wrong,  wrong,  wrong,    wrong,  close, close,  in_d,  close,   close, in_d,  close},
    Row{in_c,     in_c,    in_c,   in_c,  in_c,   in_c,   in_c,     in_c,   in_c,  in_c,   in_c,  in_c,    in_c,  in_c,  in_c},
}};
// clang-format on

}  // namespace

SessionStep step(SessionState state, SessionEvent event) {
  return table[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

}  // namespace statefs

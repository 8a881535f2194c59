import threading

import pytest

from repro.verify import math_worker, maths
from repro.verify.maths import correctness

# What a gold answer is, and predictions that equal it, by kind of answer.
EQUAL = {
    "integers": [
        ("70", "70", "070", " 70 ", "70.", "70.0", "+70", "$70$", r"\(70\)", "{70}",
         "= 70", "x = 70"),
        ("-5", "−5", "-5.0", r"\frac{-10}{2}", "0-5"),
        ("5", "$5$", "x = 5", "５", r"\displaystyle 5", r"\mathbf{5}", r"\text{5}", r"\boxed{5}"),
        ("055", "55", r"\textbf{(55) }", r"\mathbf{55}"),
        ("1024", "2^{10}", "2^10", r"4^5", r"1{,}024", r"1\,024", "1 024", "1,024", r"1,\!024"),
    ],
    "fractions": [
        (r"\frac{1}{2}", "1/2", r"\dfrac{1}{2}", r"\tfrac12", r"\frac 12", "0.5", ".5",
         "½", r"1 \over 2"),
        (r"-\frac{1}{2}", r"\frac{-1}{2}", r"\frac{1}{-2}", "-1/2", "-0.5", r"-\dfrac{1}{2}"),
        (r"\frac{14}{3}", r"4\frac{2}{3}", r"4 \dfrac23", "4 2/3", "4⅔", r"14 \div 3",
         r"\frac{28}{6}"),
        (r"\frac{2}{3}", r"\frac{\frac{1}{3}}{\frac{1}{2}}", r"\frac{1}{1+\frac{1}{2}}",
         r"\frac{1/3}{1/2}"),
        (r"-\frac{7}{3}", r"-2\frac{1}{3}", "-7/3"),
        (r"\frac{a}{b}", "a/b", r"\dfrac{a}{b}"),
    ],
    "decimals": [
        (".0000672", "0.0000672", r"6.72 \times 10^{-5}", r"6.72\cdot10^{-5}"),
        (r"0.\overline{36}", r"\frac{4}{11}", r"0.\overline{3636}"),
        (r"\frac{1}{6}", r"0.1\overline{6}", r"0.1\bar{6}"),
        (r"-\frac{1}{3}", r"-0.\overline{3}", r"-.\overline{3}"),
        (r"\frac{448}{15625}", "0.028672"),
    ],
    "roots, powers and constants": [
        (r"11\sqrt2", r"11\sqrt{2}", r"\sqrt{242}", "11√2", r"\sqrt 2 \cdot 11"),
        (r"\frac{\sqrt{3}}{3}", r"\frac{1}{\sqrt{3}}", r"\frac13\sqrt3", "√3/3", r"3^{-1/2}"),
        (r"\sqrt[3]{2}", "2^{1/3}", r"2^\frac13"),
        (r"2\pi", "2π", r"\pi \cdot 2", r"2 \pi"),
        ("3^{300}", "9^{150}"),
        ("0", r"\sqrt6-\sqrt2\sqrt3"),
        (r"\infty", r"\infty", "∞", r"+\infty"),
        ("5040", "7!", r"\binom{10}{4} \cdot 24"),
        (r"10", r"\binom{5}{2}", r"{5 \choose 2}"),
    ],
    "products, not mixed numbers": [
        ("6", "2(3)", "(2)(3)", r"3\sqrt{4}"),
        ("30", r"5\binom{4}{2}"),
        (r"\frac{3}{2}", r"3(\frac12)", r"3\left(\frac12\right)"),
    ],
    "expressions": [
        ("x^2+2x+1", "(x+1)^2", "x² + 2x + 1", "x^{2}+1+2x"),
        ("p-q", "-q+p"),
        ("2k+2", "2(k+1)", "(k+1)2"),
        (r"1 + 2\theta", "2θ+1"),
        ("x^{12}", "x^{12}", "(x^6)^2", "x¹²"),
        ("2x+3", "y = 2x+3", "f(x) = 2x + 3"),
    ],
    "logs and angles": [
        (r"\log_2 3", r"\frac{\ln 3}{\ln 2}", r"\log_{2} 3"),
        (r"\ln 2", r"\log_e 2", r"\frac{\ln 8}{3}"),
        (r"\frac{\pi}{4}", r"\arctan\frac12+\arctan\frac13"),
        ("90", r"90^\circ", r"90^{\circ}", "90°", r"90 \degree", r"90\text{ degrees}",
         "90 degrees"),
        (r"30^\circ", "30", r"\angle ABC = 30^\circ"),
    ],
    "complex numbers": [
        ("6 - 5i", "6-5i", "-5i+6", r"6-5\mathrm{i}", "6 - 5 i"),
        (r"\frac{1-i}{2}", r"\frac{1}{1+i}", r"\frac12-\frac{i}{2}"),
        ("-1", "i^2", r"e^{i\pi}"),
        (r"1+i\sqrt3", r"2e^{i\pi/3}", r"2(\cos\frac{\pi}{3}+i\sin\frac{\pi}{3})"),
        (r"\pm i", "i, -i"),
    ],
    "points and tuples": [
        (r"\left( 3, \frac{\pi}{2} \right)", r"(3, \pi/2)", r"(r,\theta) = (3, \frac{\pi}{2})"),
        ("(6,31,-1)", "(6, 31, -1)", "6, 31, -1"),
        ("(2,1)", r"\left(2, 1\right)", "(x,y)=(2,1)"),
        ("(1,2),(3,4)", "(3,4),(1,2)", r"\{(1,2),(3,4)\}", r"(1,2) \text{ and } (3,4)"),
    ],
    "intervals": [
        (r"(-\infty, 0]", r"\left(-\infty, 0\right]", r"x \in (-\infty,0]", r"x \le 0", "x ≤ 0"),
        (r"(2,\infty)", r"(2,+\infty)", "x>2", "2 < x"),
        (r"x \in [-2,7]", "[-2,7]", r"x\in\left[-2,7\right]", r"-2 \le x \le 7"),
        (r"[0,1)\cup(2,3]", r"[0, 1) \cup (2, 3]", r"(2,3]\cup[0,1)", r"x\in[0,1)∪(2,3]"),
        (r"\left(\frac{3}{5},\frac{8}{3}\right]", "(3/5, 8/3]", r"(0.6,\tfrac83]"),
        (r"(-\infty,\infty)", r"\mathbb{R}"),
        ("1<x<7", "(1,7)"),
    ],
    "sets and several answers": [
        (r"\{1,2\}", r"\{2,1\}", r"\left\{1, 2\right\}", "1, 2", r"x \in \{1,2\}"),
        ("1,2", "2,1", "1, 2", "1; 2", r"\{1,2\}", "1 and 2", r"1 \text{ or } 2", "x=1 or x=2"),
        ("1,-2", "x=1, x=-2", r"x=1 \text{ or } x=-2", r"x = -2 \text{ and } x = 1"),
        ("3, 5, 7", r"3,\ 5,\ 7", r"5, 3, \text{ and } 7", "3, 5 and 7"),
        (r"1 \pm \sqrt{19}", r"1-\sqrt{19}, 1+\sqrt{19}", r"x = 1 \pm \sqrt{19}", "1±√19"),
        (r"\{1\pm\sqrt{5},-2\}", r"\{-2, 1-\sqrt5, 1+\sqrt5\}", r"-2, 1\pm\sqrt5"),
        (r"\emptyset", r"\varnothing", r"\{\}", "∅"),
    ],
    "matrices": [
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}",
         r"\begin{bmatrix}1\\2\end{bmatrix}", r"\left(\begin{array}{c}1\\2\end{array}\right)"),
        (r"\begin{pmatrix} -1/3 \\ 2/3 \end{pmatrix}", r"\frac13\begin{pmatrix}-1\\2\end{pmatrix}"),
        (r"\begin{pmatrix} -1 & 0 \\ 0 & -1 \end{pmatrix}",
         r"-\begin{pmatrix}1&0\\0&1\end{pmatrix}"),
    ],
    "equations": [
        ("5", "x=5", "x = y = 5", "a+b=5", "10/2 = 5"),
        ("x=5", "5"),
        ("y = 2x + 3", "y=3+2x", "2x - y + 3 = 0", "2x+3"),
        ("5x - 7y + 11z + 4 = 0", "-5x+7y-11z-4=0", "5x-7y+11z=-4"),
        (r"\frac{x^2}{4}+\frac{y^2}{9}=1", "9x^2+4y^2=36"),
        (r"x \le 7", "7 ≥ x"),
    ],
    "thousands": [
        (r"10,\!080", "10080", "10,080", r"10{,}080", r"10\,080", "10 080", "10 080"),
        ("1000000", "1,000,000", "10^6"),
        (r"1000\pi", r"1,000\pi"),
        ("1234.5", "1,234.5"),
    ],
    "units, money and percent": [
        ("10", r"10\text{ cm}", r"10 \mathrm{~cm}", "10 cm", r"10\text{m}",
         r"10\text{ m/s}^2", "10 km/h"),
        (r"15\mbox{ cm}^2", "15", r"15\text{ cm}^{2}", r"15\,\mathrm{cm}^2", "15 cm^2",
         "15 square cm",
         r"15\text{ square centimeters}"),
        ("20", r"20 \text{ students}", r"20\text{ units}", "20 square units", r"20\text{th}"),
        (r"\$18.90", "18.9", "$18.90$", r"18.90 \text{ dollars}", r"\$18.90"),
        (r"\$32,\!348", "32348", r"\$32,348"),
        (r"50\%", "50", "50%", r"\frac12", "0.5", r"50 \text{ percent}"),
        ("12.5", r"12.5\%", "12.5 percent"),
    ],
    "bases": [
        ("2516_8", "2516_{8}", "2516₈", "(2516)_8", r"2516_{\text{8}}", "02516_8", "x = 2516_8"),
        ("DE5_{16}", r"\text{DE5}_{16}", "DE5_16"),
    ],
    "words, letters and times": [
        ("C", r"\text{(C)}", "(C)", r"\textbf{C}", r"\mathbf{C}", r"\text{C}"),
        (r"\text{(C)}", "C", "(C)"),
        (r"\text{Evelyn}", "Evelyn", "evelyn", r"\mathrm{Evelyn}", r"\textbf{Evelyn}"),
        (r"\text{ellipse}", r"\text{an ellipse}", r"\text{Ellipse}"),
        (r"\text{June 20}", "June 20", r"\text{June 20}"),
        (r"\text{no}", "No"),
        ("A,C", r"\text{A, C}", "C, A", r"\text{A and C}"),
        ("12:30", "12{:}30", r"12:30 \text{ p.m.}", "12:30 PM"),
        ("3:4", r"\frac34", "6:8"),
    ],
}  # fmt: skip

# What a gold answer is, and predictions that differ from it.
DIFFERENT = {
    "integers": [
        ("70", "71", "-70", "70.0001", "7", "700", "7 0", "(70", "70)", "70+", "70^", "", " ", "?"),
        ("7", r"\frac{", "7" * 1900, "7" * 5000, "7?", "7; 8", "7 8", r"7 \quad 8", "1,7", "7,1"),
        ("5", "2 3", "-5", "x = -5", "5=6", "2x+3y=5", "5!"),
        ("1000", "1,00", "1.000", "1,0,0,0"),
    ],
    "fractions": [
        (r"\frac{1}{2}", r"\frac{2}{1}", r"1\frac12", "12", "2", r"-\frac12", "½x",
         r"\frac{1}{2}x"),
        (r"\frac{11}{2}", r"1\frac12", "1 1/2"),
        (r"2\frac{1}{3}", r"\frac23", "2/3", "21/3"),
    ],
    "approximations": [
        (r"\frac{1}{3}", "0.33", "0.333333", "0.33333333333333", r"0.333\ldots"),
        (r"\pi", "3.14159", "3.14159265358979", r"\frac{22}{7}", r"\approx 3.14"),
        (r"\sqrt2", "1.41421356237", "1.4142135623730951"),
        ("e", "2.718281828"),
        ("0.5", "0.5000001", "0.50000000001"),
        ("1000000", "1000000.0000001"),
        (r"0.\overline{3}", "0.3", "0.33"),
        (r"0.\overline{36}", "0.36", r"0.3\overline{6}"),
    ],
    "very large and very small": [
        ("3^{300}", "3^{300}+1"),
        ("10^{20}", r"\sqrt{10^{40}+1}", "10^{20}+1"),
        ("10^{-20}", r"2\cdot10^{-20}", "0"),
        ("0", "10^{-20}", "10^{-100}"),
        (r"6.63\times10^{-34}", r"6.63\times10^{-35}", r"1.05\times10^{-34}"),
        ("100!", "100!+1"),
    ],
    "expressions": [
        ("x^2+2x+1", "x^2+2x+2", "x^2-2x+1", "y^2+2y+1", "x^2+2x", "4"),
        ("p - q", "q - p", "P - q"),
        ("P", "p"),
        (r"\sin x", r"\cos x", r"\sin y"),
        ("x_1", "x_2", "x", "1"),
        (r"\log_2 3", r"\log_3 2", r"\log 3"),
    ],
    "complex numbers": [
        ("2+3i", "3+2i", "2-3i", "5", "2+3", "2+3j"),
        ("i", "i^2", "-i", "1"),
        (r"e^{i\pi/3}", r"e^{-i\pi/3}"),
    ],
    "points, sets and intervals": [
        ("(3,4)", "(4,3)", "4,3", r"\{3,4\}", r"\{4,3\}", "[3,4]", "[3,4)", "34", "3.4", "(3,4,5)"),
        ("(4,3)", "(5,2)", "(3,4)", "3,4", r"\{3,4\}"),
        (r"\{1,2\}", "(1,2)", "(2,1)", r"\{1,2,3\}", r"\{1\}", "[1,2]", "12"),
        ("1,2", "(2,1)", "1,2,3", "1", "2", "1,3", "x=1 or x=3"),
        ("(1,2,3)", "3,2,1", "(3,2,1)", "(1,2)"),
        ("[0,1]", "(0,1)", "[0,1)", "(0,1]", "[0,2]", "x"),
        (r"(-\infty, 0]", r"(-\infty, 0)", r"[0, \infty)", "x<0", "0"),
        (r"(0,9)\cup(9,36)", "(0,36)", r"(0,9]\cup(9,36)", r"(0,9)\cap(9,36)", r"(0,9)"),
        (r"x \in [-2,7]", r"y \in [-2,7]", r"x \in [-2,7)", r"-2 < x \le 7"),
        (r"\emptyset", "0", r"\{0\}", r"\{\emptyset\}"),
        (r"1\pm\sqrt{19}", r"1+\sqrt{19}", r"1\pm\sqrt{18}", r"-1\pm\sqrt{19}"),
        (r"\pm 2", "2", "-2"),
        ("2", r"\pm 2", "2,2"),
    ],
    "matrices": [
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}2\\1\end{pmatrix}", "(1,2)", "1,2",
         r"\begin{pmatrix}1&2\end{pmatrix}"),
        (r"\begin{pmatrix}1/3\\2\end{pmatrix}", r"\begin{pmatrix}0.33333333\\2\end{pmatrix}"),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{vmatrix}1&2\\3&4\end{vmatrix}", "-2"),
    ],
    "equations": [
        ("5", "y=6", "x=5, y=6", r"x \ne 5", r"\ge 5", "x>5", "<5", "x^2=5+y"),
        ("0", "5x - 7y = 0"),
        ("x=5", "y=5", "x=-5", "6"),
        ("y=2x+3", "y=2x-3", "y=3x+2", "x=2y+3", "2x-3"),
        ("x+y=1", "1", "x+y=2", "x=1"),
        ("e^x=0", "2^x=0"),
        ("|x|=-1", "|x|=-2"),
        ("x=x", "1=1"),
        ("x<7", "x>7", r"x\le 7", "7", "x<8"),
        ("1<x<7", r"1\le x<7", "x<7", "1<x<8"),
    ],
    "units, money and percent": [
        (r"2\text{ cm}", r"2\text{ km}", "3 cm", r"2\text{ cm or more}"),
        (r"5\text{ east}", r"5\text{ west}"),
        ("5", r"5\text{ million}", r"5\text{ dozen}", r"5\text{ and a half}"),
        ("15", "15m", "15x", "15t", "15d"),
        ("3s", "3"),
        (r"\frac12 t", r"\frac12"),
        (r"30^\circ", r"\frac{\pi}{6}", "30^2", "300"),
        (r"50\%", "5", r"5000\%", "0.05"),
        ("50", "0.5"),
        (r"2 \text{ am}", r"2 \text{ pm}"),
    ],
    "bases": [
        ("2516_8", "2516_7", "2517_8", "2516", "1358", r"2516_{10}"),
        ("40", "40_9"),
        ("40_9", "40", "36"),
    ],
    "words, letters and times": [
        ("A", "B", "A or B", "A, B", r"A \text{ or } B", r"\text{A and B}", r"\text{not A}"),
        (r"\text{east}", r"\text{west}", r"\text{seat}", "seat", r"\text{not east}"),
        (r"\text{even}", r"\text{odd}", r"\text{even or odd}", "2"),
        (r"\text{no}", "on", r"\text{on}"),
        (r"\text{June 20}", r"\text{June 21}", "20"),
        ("20", r"\text{June 20}"),
        ("12:30", "12:31", "12.5", "1230", "12", r"\frac{12}{30}", "6:15"),
        (r"2:30 \text{ am}", r"2:30 \text{ pm}"),
        ("3:4", "4:3"),
    ],
    "what does not parse": [
        ("7", r"\text{not } 7", "I think it is 7", "7 or 8", r"\undefinedmacro{7}{8}", r"\foo 7"),
        (r"\frac12", r"\foo \frac{1}{2}", r"\frac{1}{2}\foo"),
        ("7", r"\text{blah} = 7 \foo", "a7", r"7 \text{ not } 8"),
        (r"\foo{1}", r"\foo{2}", r"\bar{1}", "1", r"\foo"),
        (r"\foo", r"\baz"),
        ("", "", "0", " "),
    ],
}  # fmt: skip


def boxed(prediction: str) -> str:
    return f"a thought</think>The answer is $\\boxed{{{prediction}}}$."


def judged(table: list[tuple]) -> list[tuple[str, str, bool]]:
    pairs = [(gold, prediction) for gold, *predictions in table for prediction in predictions]
    verdicts = maths.verify([boxed(ours) for _, ours in pairs], [gold for gold, _ in pairs])
    return [(*pair, verdict) for pair, verdict in zip(pairs, verdicts, strict=True)]


@pytest.mark.parametrize("kind", EQUAL)
def test_equal_answers_are_correct(kind):
    assert [case for case in judged(EQUAL[kind]) if not case[-1]] == []


@pytest.mark.parametrize("kind", DIFFERENT)
def test_different_answers_are_wrong(kind):
    assert [case for case in judged(DIFFERENT[kind]) if case[-1]] == []


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        (r"\boxed{7}", False),  # inside a thought that never ended
        (r"\boxed{7}</think>", False),
        (r"\boxed{8}</think>\boxed{7}", True),
        (r"</think>\boxed{7} and \boxed{8}", False),  # boxes side by side do not merge
        (r"</think>\boxed{8}\boxed{7}", True),
        (r"</think>\boxed{7}. Hence 8 is wrong, \text{sic}.", True),
        (r"</think>\boxed{7} \boxed{}", False),
        (r"</think>\boxed{\boxed{7}}", True),
        (r"</think>\boxed{8 \text{ or } \boxed{7}}", True),
        (r"</think>\boxed{7", False),
        ("</think>The answer is 7.", False),
    ],
)
def test_only_the_last_box_after_the_thought_counts(response, verdict):
    assert maths.verify([response], ["7"]) == [verdict]


@pytest.mark.parametrize(
    "hostile", ["9^{9^{9^9}}", "(10^9)!", "(" * 400, r"\sqrt{" * 150 + "3" + "}" * 150]
)
def test_hanging_answers_are_killed_and_the_workers_survive(hostile):
    """Also from a thread that is not the main one, where math-verify itself cannot set an alarm."""
    verdicts = []

    def ask():
        verdicts.extend(maths.verify([boxed(hostile), boxed(r"\frac{2}{4}")], ["3", "0.5"]))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(timeout=300)  # a guard against hanging for ever, on a busy machine too
    assert verdicts == [False, True]
    assert maths.verify([boxed(r"\frac{6}{4}")], ["1.5"]) == [True]


def test_a_worker_that_died_between_questions_is_replaced():
    assert maths.verify([boxed(r"\frac{3}{6}")], ["0.5"]) == [True]
    assert maths._idle
    for worker in maths._idle:
        worker.kill()
        worker.wait()
    assert maths.verify([boxed(r"\frac{4}{8}")], ["0.5"]) == [True]


def test_integers_are_rewarded_without_asking_a_worker(monkeypatch):
    monkeypatch.setattr(maths, "_compare", None)  # calling it would raise
    responses = [boxed(str(number % 7)) for number in range(512)]
    rewards = correctness(responses, ["3"] * 512)
    assert rewards == [float(number % 7 == 3) for number in range(512)]


def test_reward_refuses_lists_of_different_length():
    with pytest.raises(ValueError, match="responses: got 1 for 2 answers"):
        correctness(["x"], ["1", "2"])


def test_what_cannot_be_compared_is_wrong_and_said(monkeypatch, capfd):
    def broken(gold, prediction):
        raise AttributeError("no such thing")

    monkeypatch.setattr(math_worker, "compare", broken)
    assert math_worker.verdict("1", "x" * 1000) is False
    said = capfd.readouterr().err
    assert "not compared: '1' and 'xxx" in said
    assert "AttributeError: no such thing" in said
    assert len(said) < 500

"""Answers with a structure, units and looks: what a careful person takes for equal."""

import pytest
from tests.verify.test_math import judged

R = r"\begin{pmatrix} \frac12 & 3 \\[4pt] -1 & 4 \end{pmatrix}"

# What a gold answer is, and predictions that equal it, by kind of answer.
EQUAL = {
    "thousands": [
        (r"10,\! 000", "10,000", "10{,}000", r"10\,000", r"10{,}000 \text{ people}"),
        ("(1200,3400)", "(1{,}200,3{,}400)", "(1,200, 3,400)", r"(1\,200, 3\,400)"),
        ("3000x+5", "3{,}000x+5", r"5+3,\!000x"),
        ("120000", r"12{,}000 \cdot 10", "12{,}000(10)"),
        (r"\frac{1000}{3}", r"\frac{1{,}000}{3}", r"\frac{1,000}{3}"),
    ],
    "both signs": [
        (r"3\pm\sqrt2", r"3+\sqrt2, 3-\sqrt2", r"x = 3 \pm \sqrt{2}", r"\{3\pm\sqrt2\}",
         r"x=3+\sqrt{2},\ 3-\sqrt{2}", r"x_1 = 3+\sqrt2, x_2=3-\sqrt2", r"\frac{6\pm\sqrt8}{2}"),
        (r"\frac{5\pm\sqrt{17}}{4}", r"\frac{5+\sqrt{17}}{4}, \frac{5-\sqrt{17}}{4}",
         r"\frac14(5\pm\sqrt{17})", r"\frac{5\mp\sqrt{17}}{4}"),
        ("1,-1,3", r"\pm1, 3", r"x=\pm1 \text{ or } x=3"),
        ("(1,2),(1,-2)", r"(1,\pm2)"),
        ("(2,-2),(-2,2)", r"(\pm2,\mp2)", r"\pm(2,-2)"),
        (r"y=\pm2x", "y=2x, y=-2x", r"\pm 2x"),
        (r"\frac{-b\pm\sqrt{b^2-4ac}}{2a}", r"-\frac{b}{2a}\pm\frac{\sqrt{b^2-4ac}}{2a}"),
    ],
    "matrices": [
        (r"\begin{pmatrix} 1/2 & 3 \\ -1 & 4 \end{pmatrix}", R, f"A = {R}",
         r"\left(\begin{smallmatrix} 1/2 & 3 \\ -1 & 4 \end{smallmatrix}\right)",
         r"\left[\begin{array}{cc} \frac12 & 3 \\[1ex] -1 & 4 \end{array}\right]"),
        (r"\begin{pmatrix} 2 \\ -3 \end{pmatrix}", "(2,-3)^T",
         r"\begin{bmatrix} 2 & -3 \end{bmatrix}^{\top}"),
        (r"\begin{pmatrix} 3 & 0 \\ 0 & 3 \end{pmatrix}", r"3\mathbf{I}", "3I_2"),
    ],
    "what is not calculated": [
        (r"x\equiv 3\pmod 7", r"x \equiv 3\ (\text{mod}\ 7)", r"x≡3 \pmod{7}"),
        (r"\gcd(a,b)", r"\gcd(a, b)", r"\operatorname{gcd}(a,b)"),
        (r"1,3,5,\ldots,99", r"1, 3, 5, \dots, 99", "1, 3, 5, ..., 99"),
        (r"AB \perp CD", r"AB\perp CD", "AB ⊥ CD"),
        ("2:3:4", "4:6:8", "a:b:c = 2:3:4", r"1:\frac32:2"),
        (r"\begin{cases} x^2 & x\ge 0 \\ -x & x<0 \end{cases}",
         r"f(x) = \begin{cases} -x, & x<0, \\ x^{2}, & \text{if } x \geq 0. \end{cases}",
         r"\left\{\begin{array}{ll} x^2 & x\ge 0 \\ -x & x<0 \end{array}\right."),
    ],
    "sets of real numbers": [
        (r"(3,\infty)", "x>3", r"\{x \in \mathbb{R} : x > 3\}", r"]3,+\infty[", "t>3",
         r"\mathbb{R}\setminus(-\infty,3]"),
        (r"(-\infty,0)\cup(4,\infty)", r"x<0 \text{ or } x>4", r"x<0 \lor x>4", "x<0, x>4",
         r"\{x \mid x<0 \text{ or } x>4\}", r"(-\infty,0), (4,\infty)"),
        (r"x\le1\text{ or }x\ge5", r"(-\infty,1]\cup[5,\infty)", r"\mathbb{R}\setminus(1,5)"),
        (r"(-\infty,2)\cup(2,\infty)", r"x\ne2", r"\mathbb{R}\backslash\{2\}",
         r"x \in \mathbb{R}, x \ne 2", r"\text{all real numbers except } 2"),
        (r"\{0\}\cup[1,2]", r"x=0\text{ or }1\le x\le2"),
        ("(-2,2)", "|x|<2", r"-2<x\text{ and }x<2"),
        ("x<1", "-x>-1", r"(-\infty,1)"),
        (r"\{1,2,3,4\}", r"\{x\in\mathbb{Z}:1\le x\le4\}"),
        (r"(-\infty,\frac{1-\sqrt5}{2}]", r"x \le -\frac{\sqrt5-1}{2}"),
    ],
    "names": [
        ("7", "f(2)=7", r"(g\circ f)(-1)=7", "f^{-1}(3)=7", "|AB|=7", r"f(2)=2^3-1=7",
         "f(x)g(x)=7"),
        ("f(2)=7", "7", r"f\left(2\right)=7"),
        ("(1,2)", "x=1, y=2", "y=2, x=1", "(x,y)=(1,2)", "b=2, a=1",
         r"\begin{cases}x=1\\y=2\end{cases}"),
        ("a=3, b=-2", "(a,b)=(3,-2)", "b=-2, a=3", "(3,-2)"),
        ("3,5", r"x=3\text{ or }x=5", "x_1=5, x_2=3", "x = 3, 5"),
        ("(1,2),(3,4)", r"(x,y)=(3,4) \text{ or } (1,2)"),
        ("m=2,b=-1", "b=-1,m=2"),
    ],
    "bases": [
        ("1011_2", r"1011_{\text{two}}", r"1011\text{ (base 2)}", "{1011}_{ 2 }", "1011 base 2"),
        ("3A7_{16}", r"\mathtt{3A7}_{16}", "0x3A7", "3a7_{16}", r"3\mathrm{A}7_{16}"),
    ],
    "units": [
        ("5", "5 apples", r"5\,\mathrm{m/s}", "5 m/s", r"\text{5 cm}", r"5 \operatorname{cm}", "€5",
         r"5\text{ cm} \times \text{cm}", r"5\,{\rm cm}", "5¢", r"5\,\mathrm{m\,s^{-1}}", "5°C"),
        (r"12\text{ cm}", r"120\text{ mm}", r"0.12\text{ m}", "12 centimeters"),
        (r"\$2.50", r"250\text{ cents}", "2.5", r"2.50 \text{ USD}"),
        (r"36\text{ km/h}", r"10\text{ m/s}", r"36\text{ kilometers per hour}"),
        ("30,60", r"30^\circ \text{ and } 60^\circ", "30 cm, 60 cm"),
    ],
    "looks": [
        (r"\frac73", *(look % r"\frac{7}{3}" for look in (
            r"\mathbf{%s}", r"\boldsymbol{%s}", r"\textbf{$%s$}", r"\underline{%s}", r"\bm{%s}",
            r"\ensuremath{%s}", r"{\color{red} %s}", r"\textcolor{red}{%s}", r"{\displaystyle %s}",
            r"x = \mathbf{%s}", r"\text{%s}", r"%s\tag{1}"))),
        (r"\frac{\pi}{2}", r"\frac\pi2", r"\tfrac\pi{2}"),
        (r"\sin x", r"\operatorname{sin} x", r"\text{sin}(x)"),
        ("B", r"\text{B: the second}", "B) 12", "B - both"),
    ],
    "degrees, roots and sums": [
        (r"\cos 80^\circ", r"\sin 10^\circ", r"\cos 80°", r"\cos\frac{4\pi}{9}"),
        ("-3", r"\sqrt[3]{-27}"),
        (r"2-\sqrt[3]{4}", r"2+\sqrt[3]{-4}"),
        ("4", r"\sqrt[3]{20+14\sqrt2}+\sqrt[3]{20-14\sqrt2}"),
        (r"2^{100}-1", r"\sum_{k=0}^{99}2^k"),
        (r"\frac{n(n+1)}{2}", r"\sum_{k=1}^{n}k"),
        ("0.00032", "3.2e-4", r"3.2 \cdot{} 10^{-4}"),
    ],
}  # fmt: skip

# What a gold answer is, and predictions that differ from it.
DIFFERENT = {
    "thousands": [("1234", "(1,234)", "1, 234"), ("(1200,3400)", "(1{,}200,3{,}401)")],
    "both signs": [
        (r"3\pm\sqrt2", r"3+\sqrt2", r"3\pm\sqrt3", r"-3\pm\sqrt2", r"3+\sqrt2,3-\sqrt2,0"),
        ("3", r"\pm3", r"3\pm0.1"),
        ("(1,1),(-1,-1)", r"(\pm1,\mp1)", r"(1,\pm1)"),
    ],
    "matrices": [
        (r"\begin{pmatrix} 2 \\ -3 \end{pmatrix}", r"\begin{pmatrix} 2 & -3 \end{pmatrix}",
         r"(-3,2)^T", "(2,-3)"),
        (r"\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}", "1", "-I", "I_3", "i"),
    ],
    "what is not calculated": [
        (r"x\equiv 3\pmod 7", r"x\equiv 4\pmod 7", r"x\equiv 3\pmod 8", "3"),
        ("1", r"\gcd(m,n)"),
        (r"1,3,5,\ldots,99", "1,3,5,99", r"1,3,5,\ldots,101"),
        (r"AB \perp CD", r"AB\parallel CD"),
        ("2:3:4", "4:3:2", "2:3", "(2,3,4)"),
        ("25", r"25\ldots", "25..."),
        ("3.14", r"3.14\dots", r"\pi"),
        (r"\begin{cases} x^2 & x\ge 0 \\ -x & x<0 \end{cases}",
         r"\begin{cases} x^2 & x> 0 \\ -x & x\le0 \end{cases}"),
    ],
    "sets of real numbers": [
        (r"(3,\infty)", r"x\ge3", "x<3", "3", r"\mathbb{R}", r"\{x\in\mathbb{Z}:x>3\}"),
        (r"(-\infty,0)\cup(4,\infty)", r"x<0\text{ and }x>4", r"x\le0\text{ or }x>4", "(0,4)",
         r"x<0\text{ or }y>4"),
        (r"(-\infty,2)\cup(2,\infty)", r"x\ne-2", r"\mathbb{R}", "2"),
        ("[-3,4)", "[-3,4]", "-3,4", r"\{-3,4\}", r"x\ge-3\text{ or }x<4"),
        ("(1,2),(3,4)", r"(1,2)\cup(3,4)"),
        (r"(3, \frac{\pi}{2})", r"[3, \frac{\pi}{2})"),
    ],
    "names": [
        ("7", "f(7)=2", "2f(x)=7", "x^2=7", "-x=7", r"\sqrt{x}=7", r"\frac1x=7", "f(2)=3+3=7"),
        ("f(2)=7", "f(3)=7", "f(7)=2"),
        ("(1,2)", "y=1,x=2", "(y,x)=(1,2)", "b=1,a=2", "x=1,x=2", r"\{1,2\}"),
        ("x=1, y=2", "x=2,y=1", "a=1,b=2", "(2,1)"),
        ("m=2,b=-1", "m=-1,b=2"),
    ],
    "bases": [("1011_2", "1011", "11", "1011_3"), ("3A7_{16}", "935", "3A7", "0x3A8")],
    "units": [
        (r"12\text{ cm}", r"12\text{ m}", r"12\text{ cm}^2", r"12\text{ kg}", "120"),
        (r"\$5", "5€", "£5", r"5\text{ cents}", "5¢"),
        (r"20^\circ\text{C}", r"20^\circ\text{F}", r"20\text{ K}"),
        ("5", "5 million", r"5\text{ or }6", "5x", "5 sin x", r"5\text{ mod }7"),
    ],
    "looks": [
        (r"\frac73", r"\mathbf{\frac{3}{7}}", r"\text{7 thirds and more}"),
        ("B", r"\text{A: the second}", r"\text{A or B}", "B+C", "(B) and (C)"),
    ],
    "degrees, roots and sums": [
        (r"\cos 80^\circ", r"\cos 80", r"80^\circ", "0.1736"),
        ("-3", r"\sqrt{-9}", r"\sqrt[3]{27}"),
        (r"2^{100}-1", r"\sum_{k=0}^{100}2^k"),
        ("0.00032", r"3.2\times10^{-5}"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", EQUAL)
def test_equal_answers_are_correct(kind):
    assert [case for case in judged(EQUAL[kind]) if not case[-1]] == []


@pytest.mark.parametrize("kind", DIFFERENT)
def test_different_answers_are_wrong(kind):
    assert [case for case in judged(DIFFERENT[kind]) if case[-1]] == []
